//! Triggers run under the session's own settings, as in an application's `update`.

use crate::support::{Database, process_in, value};

const TRIGGERS: &str = "
  create table public.seen (part text, kind text, name text, setting text);
  create table public.part (name text);
  insert into public.part values ('?');
  create function public.look() returns trigger language plpgsql as $$ begin
    insert into public.seen
    select p.name, tg_argv[0], s.name, s.setting from public.part p, pg_settings s;
    return new;
  end $$;
  create trigger look1 before update on public.leads for each statement execute function public.look('before statement');
  create trigger look2 before update on public.leads for each row execute function public.look('before row');
  create trigger look3 after update on public.leads for each row execute function public.look('after row');
  create trigger look4 after update on public.leads for each statement execute function public.look('after statement');
  create constraint trigger look5 after update on public.leads deferrable initially deferred
  for each row execute function public.look('deferred')";

/// The settings that triggers saw to differ from those in an `update`.
const DIFFERENT: &str = "
  select coalesce(array_agg(distinct b.name), '{}')
  from public.seen u
  join public.seen b on b.kind = u.kind and b.name = u.name
  where u.part = 'update' and b.part = $1 and b.setting is distinct from u.setting";

async fn differences(settings: &[&str]) {
    let database = Database::new().await;
    let crm = database.crm().await;
    database.set(settings).await;
    database.run(TRIGGERS).await;
    let (updated, moved, by_service) = (
        crm.run_of(2).await,
        crm.run_of(2).await,
        crm.run_of(2).await,
    );
    let part = async |name: &str| {
        database
            .run(&format!("update public.part set name = '{name}'"))
            .await;
        database.open().await
    };

    let application = part("update").await;
    let update = "update public.leads set funnel_id = $2, column_id = $3 where run_id = $1";
    application
        .execute(update, &[&updated, &crm.target.funnel, &crm.target.column])
        .await
        .unwrap();
    crm.enqueue(moved).await;
    let worker = part("batch").await;
    let batch = process_in(&worker, None).await.unwrap().expect("it is due");
    assert_eq!(batch.leads_moved, 2);
    crm.enqueue(by_service).await;
    let worker = part("service").await;
    assert_eq!(database.process_as_service(&worker).await, "moved");

    for part in ["batch", "service"] {
        let kinds = "select count(distinct kind) from public.seen where part = $1";
        assert_eq!(value::<i64>(database.session(), kinds, &[&part]).await, 5);
        let different: Vec<String> = database.value(DIFFERENT, &[&part]).await;
        assert_eq!(different, ["search_path"], "{part}, {settings:?}");
    }
}

#[tokio::test]
async fn triggers_see_no_other_setting_than_search_path_changed() {
    differences(&[]).await;
    differences(&[
        "lock_timeout = '7s'",
        "statement_timeout = '9min'",
        "enable_hashjoin = off",
        "enable_seqscan = off",
        "jit = on",
        "plan_cache_mode = force_custom_plan",
        "synchronous_commit = local",
        "session_replication_role = origin",
        "work_mem = '5MB'",
    ])
    .await;
}

#[tokio::test]
async fn a_trigger_that_has_to_wait_for_a_row_waits_as_in_an_update() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    database
        .run("create table public.daily (n integer); insert into public.daily values (0)")
        .await;
    database
        .on_leads(
            "after update on public.leads for each row",
            "update public.daily set n = n + 1; return null;
             exception when others then return null;",
        )
        .await;
    crm.enqueue(run).await;
    let (holder, worker) = (database.open().await, database.open().await);
    holder
        .batch_execute("begin; update public.daily set n = n")
        .await
        .unwrap();

    let (batch, ()) = tokio::join!(process_in(&worker, None), async {
        database.blocked("process_lead_migration_batch").await;
        holder.batch_execute("rollback").await.unwrap();
    });

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 100);
    crm.process_to_the_end().await;
    crm.all_moved(run).await;
    let counted: i32 = database.value("select n from public.daily", &[]).await;
    assert_eq!(counted, 300);
}
