//! What `lead_mover.open_to` opens: action by caller by object. A run of another tenant is answered like one that does
//! not exist, and stays as it is.

use uuid::Uuid;

use crate::support::{Crm, Database, Session, Target, restored};

/// Two organisations; policies show each its own rows. The stranger writes SQL itself, for organisation A.
pub(super) const TENANTS: &str = "
    alter table public.runs add column org text not null default 'A';
    alter table public.leads add column org text not null default 'A';
    alter table public.columns add column org text not null default 'shared';
    create function public.org() returns text language sql stable as
      $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org' $$;
    do $$
    declare
      v_table text;
    begin
      foreach v_table in array array['runs', 'leads', 'columns'] loop
        execute format('alter table public.%I enable row level security', v_table);
        execute format('create policy users on public.%I to authenticated using (org in (public.org(), ''shared''))', v_table);
        execute format('create policy direct on public.%I to lead_mover_stranger using (org in (''A'', ''shared''))', v_table);
        execute format('grant select, update on public.%I to authenticated, lead_mover_stranger', v_table);
      end loop;
    end
    $$;
    grant usage on schema pgmq to authenticated, lead_mover_stranger, anon, service_role;
    grant insert, select on pgmq.q_lead_migration_queue to authenticated, lead_mover_stranger, anon, service_role;
    grant usage on all sequences in schema pgmq to authenticated, lead_mover_stranger, anon, service_role;
    select lead_mover.open_to(r, array['queue', 'progress', 'cancel', 'control'])
    from unnest(array['authenticated', 'lead_mover_stranger']::regrole[]) as r";

const ACTIONS: [&str; 10] = [
    "queue",
    "message",
    "cancel",
    "pause",
    "resume",
    "retry",
    "progress",
    "rejections",
    "queue_status",
    "process",
];

/// A run of that organisation in the state in which the action does something, and the move that it has.
pub(super) async fn prepared(
    crm: &Crm<'_>,
    database: &Database,
    action: &str,
    org: &str,
) -> (Uuid, i64) {
    let run = crm.run_of(3).await;
    database
        .run(&format!(
            "update public.runs set org = '{org}' where id = '{run}';
             update public.leads set org = '{org}' where run_id = '{run}'"
        ))
        .await;
    if ["queue", "message"].contains(&action) {
        return (run, 0);
    }
    let migration_id = crm.enqueue(run).await["migration_id"].as_i64().unwrap();
    match action {
        "resume" => {
            crm.control("pause_lead_migration", run).await;
        }
        "retry" => {
            database
                .run(&format!(
                    "delete from pgmq.q_lead_migration_queue where (message ->> 'migration_id')::bigint = {migration_id};
                     update lead_mover.lanes set message_id = null where migration_id = {migration_id};
                     update lead_mover.moves set status = 'failed', failure = 'x', finished_at = now()
                     where migration_id = {migration_id}"
                ))
                .await;
        }
        "rejections" => {
            database
                .run(&format!(
                    "insert into lead_mover.rejections (migration_id, lead_id, sqlstate, error)
                     values ({migration_id}, 'x', '23514', 'secret')"
                ))
                .await;
        }
        _ => {}
    }
    (run, migration_id)
}

/// What the caller is answered, without ids; an error begins with its code.
pub(super) async fn answer(
    session: &Session,
    action: &str,
    run: Uuid,
    migration_id: i64,
    to: Target,
) -> String {
    let call = match action {
        "queue" => format!(
            "select public.queue_lead_migration('{run}', '{}', '{}')::text",
            to.funnel, to.column
        ),
        "message" => format!(
            "select pgmq.send('lead_migration_queue', '{}')::text",
            Crm::message_to(run, to)
        ),
        "progress" => format!(
            "select count(*) || coalesce(min(run_name), '') from public.get_lead_migration_progress('{run}')"
        ),
        "rejections" => format!(
            "select count(*) || coalesce(min(error), '') from public.get_lead_migration_rejections({migration_id})"
        ),
        "queue_status" => {
            "select count(*)::text from public.get_lead_migration_queue_status()".to_owned()
        }
        "process" => "select count(*)::text from public.process_lead_migration_batch()".to_owned(),
        other => format!("select public.{other}_lead_migration('{run}')::text"),
    };
    let text = match session.query_one(&call, &[]).await {
        Ok(row) => row.get(0),
        Err(error) => {
            let error = error.as_db_error().expect("the server answers");
            format!("{} {}", error.code().code(), error.message())
        }
    };
    text.replace(&run.to_string(), "RUN")
}

/// All that the ledger, the queue and the tables have of a run.
pub(super) async fn state(database: &Database, run: Uuid) -> Vec<String> {
    database
        .value(
            "select array_agg(t order by t) from (
               select m::text as t from lead_mover.moves m where m.run_id = $1
               union all
               select q.message::text from pgmq.q_lead_migration_queue q where q.message ->> 'run_id' = $1::text
               union all
               select l::text from public.leads l where l.run_id = $1
             ) s",
            &[&run],
        )
        .await
}

pub(super) async fn callers(database: &Database) -> Vec<(&'static str, Session)> {
    let mut callers = Vec::new();
    for (name, role, org) in [
        ("owner", "none", ""),
        ("service_role", "service_role", ""),
        ("a", "authenticated", "A"),
        ("b", "authenticated", "B"),
        ("direct", "lead_mover_stranger", ""),
        ("anon", "anon", "A"),
    ] {
        let session = database.open_in_role(role).await;
        session
            .batch_execute(&format!(
                r#"set request.jwt.claims = '{{"sub": "user-{name}", "org": "{org}"}}'"#
            ))
            .await
            .unwrap();
        callers.push((name, session));
    }
    callers
}

async fn only_what_is_allowed_happens_in(database: &Database) {
    let crm = database.crm().await;
    for (caller, session) in callers(database).await {
        for action in ACTIONS {
            let of_all_runs = ["queue_status", "process"].contains(&action);
            let mut of_others = Vec::new();
            for org in ["A", "B"] {
                let (run, migration_id) = prepared(&crm, database, action, org).await;
                let before = state(database, run).await;

                let said = answer(&session, action, run, migration_id, crm.target).await;

                let after = state(database, run).await;
                let case = format!("{caller}: {action} of a run of {org}: {said}");
                let may = match caller {
                    "owner" | "service_role" => true,
                    "anon" => false,
                    "b" => org == "B" && !of_all_runs,
                    _ => org == "A" && !of_all_runs,
                };
                if caller == "anon" || of_all_runs && !may {
                    assert!(said.starts_with("42501 "), "{case}");
                } else if may {
                    assert!(!said.starts_with("42501 "), "{case}");
                    assert!(!said.starts_with("LM"), "{case}");
                } else {
                    of_others.push(said.clone());
                }
                if !may {
                    assert_eq!(before, after, "{case}");
                    assert!(!said.contains("secret"), "{case}");
                    assert!(!said.contains("Restaurantes"), "{case}");
                } else if !["progress", "rejections", "queue_status", "process"].contains(&action) {
                    assert_ne!(before, after, "{case}");
                } else if ["progress", "rejections"].contains(&action) {
                    assert!(said.starts_with('1'), "{case}");
                }
                database
                    .run("delete from pgmq.q_lead_migration_queue; delete from lead_mover.moves")
                    .await;
            }
            let unknown = answer(&session, action, Uuid::new_v4(), 999_999, crm.target).await;
            for said in of_others {
                assert_eq!(said, unknown, "{caller}: {action}");
            }
        }
    }
}

#[tokio::test]
async fn only_what_is_allowed_happens() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;

    only_what_is_allowed_happens_in(&database).await;
}

/// Default privileges as those of Supabase's projects before 2026-10-30 give everything to everybody.
#[tokio::test]
async fn only_what_is_allowed_happens_in_a_restored_dump() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;
    let copy = restored(
        &database,
        &[],
        "alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
         alter default privileges in schema public grant all on tables to anon, authenticated, service_role",
    )
    .await;
    let migrated = copy.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");

    only_what_is_allowed_happens_in(&copy).await;
    copy.doctor_report().await.assert_all_pass();
}
