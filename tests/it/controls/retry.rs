//! `retry_lead_migration`: what a failed move left, or the leads that a finished one could not move.

use serde_json::json;
use uuid::Uuid;

use crate::moves::user_locks::lock;
use crate::support::{Crm, Database, Listening};

/// A move of 150 leads that failed after its first batch.
pub(crate) async fn failed_move(database: &Database, crm: &Crm<'_>) -> Uuid {
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    crm.process().await;
    database
        .fill_disk("before update on public.leads for each statement")
        .await;
    crm.process_to_the_end().await;
    database.free_disk().await;
    assert_eq!(crm.status(run).await, "failed");
    run
}

#[tokio::test]
async fn a_failed_move_is_retried_as_a_new_one() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = failed_move(&database, &crm).await;
    let old: i64 = crm.progress(run).await.get("migration_id");
    let mut listening = Listening::start(&database).await;

    let answer = crm.control("retry_lead_migration", run).await;

    let (message_id, migration_id) = (&answer["message_id"], &answer["migration_id"]);
    assert!(migration_id.as_i64().expect("a number") > old);
    assert!(message_id.is_i64(), "{answer}");
    assert_eq!(
        answer,
        json!({
            "success": true,
            "message_id": message_id,
            "migration_id": migration_id,
            "run_id": run,
            "run_name": "Restaurantes - 10/12/2025 09:07",
            "funnel_id": crm.target.funnel,
            "column_id": crm.target.column,
            "total": 50,
            "message": "Movimentação enfileirada de novo: 50 leads serão movidos",
        })
    );
    assert_eq!(listening.received(&database).await, [""]);
    crm.check().await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    let statuses: Vec<String> = database
        .value(
            "select array_agg(status order by migration_id) from public.get_lead_migration_progress()",
            &[],
        )
        .await;
    assert_eq!(statuses, ["failed", "completed"], "the old one is final");
    crm.check().await;
}

#[tokio::test]
async fn leads_that_a_user_moved_on_since_are_not_retried() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = failed_move(&database, &crm).await;
    let elsewhere = crm.another_target().await;
    let moved_on = database
        .session()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2
             where id in (select id from public.leads where column_id = $3 limit 7)",
            &[&elsewhere.funnel, &elsewhere.column, &crm.target.column],
        )
        .await
        .unwrap();
    assert_eq!(moved_on, 7);

    crm.control("retry_lead_migration", run).await;
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, elsewhere).await, 7);
    assert_eq!(crm.leads_at(run, crm.target).await, 143);
}

#[tokio::test]
async fn the_rejected_leads_of_a_finished_move_are_retried_alone() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let rejected = crm.lead_ids(run).await[42];
    database
        .run(&format!(
            "alter table public.leads add constraint stays check (id <> '{rejected}' or column_id = '{}')",
            crm.inbox.column
        ))
        .await;
    crm.enqueue(run).await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed_with_errors");
    let old: i64 = crm.progress(run).await.get("migration_id");

    // As long as the cause is there it is rejected again.
    assert_eq!(crm.control("retry_lead_migration", run).await["total"], 1);
    crm.process_all().await;
    assert_eq!(crm.progress(run).await.get::<_, i64>("rejected"), 1);
    assert_eq!(crm.leads_at(run, crm.target).await, 149);

    database
        .run("alter table public.leads drop constraint stays")
        .await;
    let answer = crm.control("retry_lead_migration", run).await;
    assert!(answer["migration_id"].as_i64().expect("a number") > old + 1);
    assert_eq!(answer["total"], 1);
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    assert_eq!(
        database
            .value::<i64>(
                "select count(*) from public.get_lead_migration_rejections($1)",
                &[&old]
            )
            .await,
        1,
        "the old move's list does not change"
    );
    crm.check().await;
}

#[tokio::test]
async fn leads_that_were_locked_when_the_move_failed_are_retried() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let user = database.open().await;
    let run = crm.run_of(150).await;
    lock(&user, &crm.lead_ids(run).await[..3]).await;
    crm.enqueue(run).await;
    assert_eq!(crm.process().await.expect("it is due").leads_moved, 97);
    database
        .run("update lead_mover.moves set failure = 'disk full'")
        .await;
    crm.process().await;
    assert_eq!(crm.status(run).await, "failed");
    user.batch_execute("rollback").await.unwrap();

    assert_eq!(crm.control("retry_lead_migration", run).await["total"], 53);
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    crm.check().await;
}

#[tokio::test]
async fn a_retried_move_that_meets_more_leads_than_were_left_completes() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    crm.try_enqueue(run, crm.target, Some(50)).await.unwrap();
    database
        .run("update lead_mover.lanes set last_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'")
        .await;
    crm.process().await;
    // Added at the end, so that all that were counted have moved when the move fails.
    database
        .session()
        .execute(
            "insert into public.leads (id, run_id, name)
             select format('ffffffff-ffff-ffff-ffff-%s', lpad(n::text, 12, '0'))::uuid, $1, 'Novo'
             from generate_series(1, 20) as n",
            &[&run],
        )
        .await
        .unwrap();
    crm.process().await;
    assert_eq!(crm.progress(run).await.get::<_, i64>("remaining"), 0);
    database
        .fill_disk("before update on public.leads for each statement")
        .await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "failed");
    database.free_disk().await;

    crm.control("retry_lead_migration", run).await;
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 120);
    crm.check().await;
}
