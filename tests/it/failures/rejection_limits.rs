//! How many rejections fail a move; rejections by deferred constraints.

use tokio::task::JoinSet;

use crate::moves::user_changes::counts;
use crate::support::{Database, process_in};

/// From now on no lead leaves the inbox.
async fn reject_all(database: &Database) {
    database
        .run(
            "create function public.reject() returns trigger language plpgsql as
             $$ begin raise exception 'congelado' using errcode = 'ZX001'; end $$;
             create trigger reject before update on public.leads
             for each row execute function public.reject()",
        )
        .await;
}

async fn listed(database: &Database) -> i64 {
    database
        .value("select count(*) from lead_mover.rejections", &[])
        .await
}

#[tokio::test]
async fn after_a_thousand_rejections_the_move_fails_and_lists_no_more() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(1_450).await;
    reject_all(&database).await;
    crm.try_enqueue(run, crm.target, Some(300)).await.unwrap();

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "failed");
    assert_eq!(counts(&crm, run).await, (1_450, 0, 450, 1_000));
    assert_eq!(listed(&database).await, 1_000);
    let reason: String = crm.progress(run).await.get("last_error");
    assert!(
        reason.starts_with("Leads rejeitados em excesso: 1000;"),
        "{reason}"
    );
    let archived: Vec<String> = database
        .value(
            "select array_agg(message ->> 'error') from pgmq.a_lead_migration_queue
             where message ->> 'status' = 'failed'",
            &[],
        )
        .await;
    assert!(!archived.is_empty() && archived.iter().all(|error| *error == reason));
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 1_450);
    crm.check().await;
}

#[tokio::test]
async fn workers_whose_leads_are_all_rejected_end_the_move_once() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(4_000).await;
    reject_all(&database).await;
    crm.enqueue(run).await;

    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let session = database.open().await;
        workers.spawn(async move {
            while process_in(&session, None)
                .await
                .expect("no deadlock")
                .is_some()
            {}
        });
    }
    workers.join_all().await;
    crm.process_to_the_end().await;

    assert_eq!(crm.status(run).await, "failed");
    let (total, moved, remaining, rejected) = counts(&crm, run).await;
    assert_eq!((total, moved), (4_000, 0));
    assert_eq!(remaining, 4_000 - rejected);
    // Each of the other three may have been in the middle of a batch.
    assert!((1_000..=1_300).contains(&rejected), "{rejected} rejected");
    assert_eq!(listed(&database).await, rejected);
    crm.check().await;
}

#[tokio::test]
async fn rejections_in_a_run_that_grew_are_too_many_only_if_no_lead_moves() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2).await;
    crm.try_enqueue(run, crm.target, Some(1)).await.unwrap();
    // The move comes to every lead that is added, whatever its key is.
    database
        .run(
            "update lead_mover.lanes set
               next_id = '00000000-0000-0000-0000-000000000000',
               last_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        )
        .await;
    database
        .session()
        .execute(
            "insert into public.leads (run_id, name) select $1, 'Novo ' || n from generate_series(1, 4) as n",
            &[&run],
        )
        .await
        .unwrap();
    database
        .run(
            "create function public.reject() returns trigger language plpgsql as
             $$ begin raise exception 'congelado' using errcode = 'ZX001'; end $$;
             create trigger reject before update on public.leads
             for each row when (new.name in ('Novo 1', 'Novo 2')) execute function public.reject()",
        )
        .await;

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed_with_errors");
    assert_eq!(crm.leads_at(run, crm.target).await, 4);
    assert_eq!(counts(&crm, run).await, (6, 4, 0, 2));
    crm.check().await;
}

async fn a_deferred_constraint_rejects_one(constraint: &str, sqlstate: &str) {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[37];
    let constraint = constraint
        .replace("{lead}", &lead.to_string())
        .replace("{target}", &crm.target.column.to_string());
    database.run(&constraint).await;
    crm.enqueue(run).await;

    let batch = crm.process().await.expect("it is due");

    assert!(batch.success, "{}", batch.error_message);
    assert_eq!((batch.leads_moved, batch.leads_remaining), (99, 0));
    assert_eq!(crm.status(run).await, "completed_with_errors");
    assert_eq!(counts(&crm, run).await, (100, 99, 0, 1));
    let rejected: String = database
        .value(
            "select lead_id || ' ' || sqlstate from lead_mover.rejections",
            &[],
        )
        .await;
    assert_eq!(rejected, format!("{lead} {sqlstate}"));
    crm.check().await;
}

#[tokio::test]
async fn a_deferred_foreign_key_rejects_one_lead_of_a_hundred() {
    a_deferred_constraint_rejects_one(
        "create table public.allowed (lead_id uuid, column_id uuid, primary key (lead_id, column_id));
         insert into public.allowed select l.id, c.id from public.leads l, public.columns c
         where l.id <> '{lead}' or c.id <> '{target}';
         alter table public.leads add foreign key (id, column_id)
         references public.allowed (lead_id, column_id) deferrable initially deferred",
        "23503",
    )
    .await;
}

#[tokio::test]
async fn a_deferred_unique_constraint_rejects_one_lead_of_a_hundred() {
    a_deferred_constraint_rejects_one(
        "insert into public.leads (run_id, funnel_id, column_id, name, phone)
         select gen_random_uuid(), funnel_id, id, 'Já aqui', '11 5555' from public.columns where id = '{target}';
         update public.leads set phone = '11 5555' where id = '{lead}';
         alter table public.leads add unique (phone, column_id) deferrable initially deferred",
        "23505",
    )
    .await;
}
