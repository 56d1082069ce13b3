//! `resume_lead_migration`: the move goes on where it was.

use serde_json::json;
use uuid::Uuid;

use crate::support::{Database, Listening, control_in, process_in};

#[tokio::test]
async fn pause_and_resume_without_an_active_move_report_that() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    crm.process_all().await;

    for function in ["pause_lead_migration", "resume_lead_migration"] {
        for run in [run, Uuid::new_v4()] {
            assert_eq!(
                crm.control(function, run).await,
                json!({
                    "success": true,
                    "run_id": run,
                    "migration_id": null,
                    "status": null,
                    "leads_moved": 0,
                    "leads_remaining": 0,
                    "message": "Nenhuma movimentação ativa para esta extração",
                })
            );
        }
    }
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn resume_goes_on_where_the_move_was() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let queued = crm.enqueue(run).await;
    for _ in 0..5 {
        crm.process().await;
    }
    crm.control("pause_lead_migration", run).await;

    let answer = crm.control("resume_lead_migration", run).await;

    assert_eq!(
        answer,
        json!({
            "success": true,
            "run_id": run,
            "migration_id": queued["migration_id"],
            "status": "processing",
            "leads_moved": 500,
            "leads_remaining": 2_000,
            "message": "Movimentação retomada: 500 leads movidos, 2000 restantes",
        })
    );
    crm.check().await;
    assert_eq!(crm.queue_length().await, 3);
    let rest = crm.process_all().await;
    assert_eq!(
        rest.iter().map(|batch| batch.leads_moved).sum::<i32>(),
        2_000
    );
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn a_move_that_was_paused_before_its_first_batch_is_pending_again() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;

    let answer = crm.control("resume_lead_migration", run).await;

    assert_eq!(answer["status"], "pending");
    let message: serde_json::Value = database
        .value("select message from pgmq.q_lead_migration_queue", &[])
        .await;
    assert_eq!(message["status"], "pending");
}

#[tokio::test]
async fn resume_of_a_move_that_is_not_paused_changes_nothing() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    let queue = "select array_agg(q::text) from pgmq.q_lead_migration_queue q";
    let before: Vec<String> = database.value(queue, &[]).await;

    let answer = crm.control("resume_lead_migration", run).await;

    assert_eq!(answer["status"], "pending");
    assert_eq!(database.value::<Vec<String>>(queue, &[]).await, before);
}

#[tokio::test]
async fn resume_notifies_once_at_commit_and_pause_does_not() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.enqueue(run).await;
    let operator = database.open().await;
    let mut listening = Listening::start(&database).await;

    crm.process().await;
    crm.control("pause_lead_migration", run).await;
    assert!(listening.received(&database).await.is_empty());

    operator.batch_execute("begin").await.unwrap();
    control_in(&operator, "resume_lead_migration", run)
        .await
        .unwrap();
    let before = listening.received(&database).await;
    assert!(before.is_empty(), "not before the commit");
    operator.batch_execute("commit").await.unwrap();

    let received = listening.received(&database).await;
    assert_eq!(received, [""], "one for all its lanes");
}

#[tokio::test]
async fn a_move_that_was_about_to_fail_gets_ten_new_attempts() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_000).await;
    let leads = crm.lead_ids(run).await;
    // All of a batch: what fails alone while others go through is rejected.
    database
        .fill_disk(&format!(
            "before update on public.leads for each row when (new.id between '{}' and '{}')",
            leads[500], leads[999]
        ))
        .await;
    crm.try_enqueue(run, crm.target, Some(500)).await.unwrap();
    assert!(crm.process().await.expect("one lane").success);
    database
        .run("update lead_mover.lanes set attempts = 9 where moved > 0")
        .await;
    // The last attempt of that lane, while a batch of the other runs: it can only note that the move must end.
    let worker = database.open().await;
    worker.batch_execute("begin").await.unwrap();
    assert!(process_in(&worker, None).await.unwrap().unwrap().success);
    assert!(!crm.process().await.expect("one lane").success);
    worker.batch_execute("commit").await.unwrap();
    crm.control("pause_lead_migration", run).await;
    database.free_disk().await;

    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 2_000);
    crm.check().await;
}
