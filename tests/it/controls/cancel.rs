//! `cancel_lead_migration`: once it has committed, no further lead of that move changes place.

use serde_json::json;

use crate::support::{Crm, Database, control_during_a_batch, control_in};

#[tokio::test]
async fn the_result_has_the_contracts_keys_and_values() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(478).await;
    crm.enqueue(run).await;
    crm.process().await;
    crm.process().await;

    let answer = crm.control("cancel_lead_migration", run).await;

    assert_eq!(
        answer,
        json!({
            "success": true,
            "run_id": run,
            "cancelled_messages": 1,
            "leads_moved": 200,
            "leads_remaining": 278,
            "message": "Movimentação cancelada: 200 leads movidos, 278 restantes",
        })
    );
    assert!(crm.process().await.is_none());
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.leads_at(run, crm.target).await, 200);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 278);
    assert_eq!(crm.status(run).await, "cancelled");
    crm.check().await;
}

#[tokio::test]
async fn with_nothing_active_it_succeeds_and_changes_nothing() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (never_queued, completed) = (crm.run_of(3).await, crm.run_of(3).await);
    crm.enqueue(completed).await;
    crm.process_all().await;

    for run in [never_queued, completed, uuid::Uuid::new_v4()] {
        let answer = crm.control("cancel_lead_migration", run).await;

        assert_eq!(answer["success"], true);
        assert_eq!(answer["cancelled_messages"], 0);
        assert_eq!(answer["run_id"], json!(run));
    }
    assert_eq!(crm.status(completed).await, "completed");
    assert_eq!(crm.leads_at(completed, crm.target).await, 3);
}

#[tokio::test]
async fn a_second_cancel_has_nothing_left_to_cancel() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    crm.control("cancel_lead_migration", run).await;
    let cancelled_at: chrono::DateTime<chrono::Utc> = crm.progress(run).await.get("finished_at");

    let answer = crm.control("cancel_lead_migration", run).await;

    assert_eq!(answer["cancelled_messages"], 0);
    assert_eq!(
        crm.progress(run)
            .await
            .get::<_, chrono::DateTime<chrono::Utc>>("finished_at"),
        cancelled_at
    );
}

#[tokio::test]
async fn a_message_that_no_worker_has_taken_yet_is_cancelled_too() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(10).await, crm.run_of(10).await);
    let mut message = Crm::message_to(run, crm.target);
    message["run_id"] = json!(run.to_string().to_uppercase());
    crm.send(&message).await;
    crm.send(&Crm::message_to(other, crm.target)).await;
    crm.send(&json!("not an object")).await;

    let answer = crm.control("cancel_lead_migration", run).await;

    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(crm.queue_length().await, 2);
    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.inbox).await, 10);
    assert_eq!(crm.leads_at(other, crm.target).await, 10);
}

#[tokio::test]
async fn a_cancelled_run_can_be_queued_again_to_another_target() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let elsewhere = crm.another_target().await;
    let first = crm.enqueue(run).await;
    crm.process().await;
    crm.control("cancel_lead_migration", run).await;

    let second = crm.try_enqueue(run, elsewhere, Some(100)).await.unwrap();
    crm.process_all().await;

    assert_ne!(second["migration_id"], first["migration_id"]);
    assert_eq!(second["total"], 250);
    assert_eq!(crm.leads_at(run, elsewhere).await, 250);
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn a_cancel_that_is_rolled_back_lets_the_move_go_on() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process().await;
    let other = database.open().await;

    other.batch_execute("begin").await.unwrap();
    let answer = control_in(&other, "cancel_lead_migration", run)
        .await
        .unwrap();
    assert_eq!(answer["cancelled_messages"], 1);
    assert!(
        crm.process().await.is_none(),
        "while the cancel is undecided no batch begins"
    );
    other.batch_execute("rollback").await.unwrap();

    crm.check().await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
}

#[tokio::test]
async fn an_undecided_cancel_does_not_hold_up_other_moves() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (cancelled, other) = (crm.run_of(2_500).await, crm.run_of(250).await);
    crm.enqueue(cancelled).await;
    crm.enqueue(other).await;
    let operator = database.open().await;
    operator.batch_execute("begin").await.unwrap();
    control_in(&operator, "cancel_lead_migration", cancelled)
        .await
        .unwrap();

    // The cancel is not committed, so a batch that waits for it runs into this time-out.
    database.run("set lock_timeout = '10s'").await;
    let batches = crm.process_all().await;

    assert!(
        batches
            .iter()
            .all(|batch| batch.success && batch.run_id == Some(other))
    );
    assert_eq!(crm.status(other).await, "completed");
    operator.batch_execute("commit").await.unwrap();
    assert!(crm.process().await.is_none());
    assert_eq!(crm.leads_at(cancelled, crm.inbox).await, 2_500);
    crm.check().await;
}

#[tokio::test]
async fn a_cancel_waits_for_the_running_batch_and_nothing_moves_after_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let (batch, answer) = control_during_a_batch(&database, "cancel_lead_migration", run).await;

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 100);
    let answer = answer.unwrap();
    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(answer["leads_moved"], 100);
    assert_eq!(answer["leads_remaining"], 150);
    assert_eq!(crm.queue_length().await, 0);
    assert!(crm.process().await.is_none());
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    assert_eq!(crm.status(run).await, "cancelled");
    crm.check().await;
}
