//! `pause_lead_migration`: nothing moves until the move is resumed or cancelled.

use serde_json::json;

use crate::support::{Database, control_during_a_batch};

#[tokio::test]
async fn pause_returns_the_state_of_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let migration_id = crm.enqueue(run).await["migration_id"].clone();
    crm.process().await;

    let answer = crm.control("pause_lead_migration", run).await;

    assert_eq!(
        answer,
        json!({
            "success": true,
            "run_id": run,
            "migration_id": migration_id,
            "status": "paused",
            "leads_moved": 100,
            "leads_remaining": 150,
            "message": "Movimentação pausada: 100 leads movidos, 150 restantes",
        })
    );
}

#[tokio::test]
async fn nothing_moves_while_paused_and_the_message_stays() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(250).await, crm.run_of(10).await);
    crm.enqueue(run).await;
    crm.process().await;
    crm.control("pause_lead_migration", run).await;
    crm.enqueue(other).await;

    let batches = crm.process_all().await;

    assert!(batches.iter().all(|batch| batch.run_id == Some(other)));
    assert_eq!(crm.status(other).await, "completed");
    assert_eq!(crm.status(run).await, "paused");
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    assert_eq!(crm.queue_length().await, 1);
    crm.check().await;
}

#[tokio::test]
async fn a_paused_move_stays_where_it_is_even_if_its_message_is_made_due() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(250).await, crm.run_of(10).await);
    crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;
    crm.enqueue(other).await;

    database
        .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp()")
        .await;
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "paused");
    assert_eq!(crm.leads_at(run, crm.inbox).await, 250);
    assert_eq!(crm.status(other).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn pausing_twice_changes_nothing_more() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;

    let first = crm.control("pause_lead_migration", run).await;
    let second = crm.control("pause_lead_migration", run).await;
    assert_eq!(first, second);
    assert_eq!(crm.queue_length().await, 1);

    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn a_pause_waits_for_the_running_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let (batch, answer) = control_during_a_batch(&database, "pause_lead_migration", run).await;

    assert!(batch.unwrap().expect("it was due").success);
    let answer = answer.unwrap();
    assert_eq!(answer["leads_moved"], 100);
    assert_eq!(answer["status"], "paused");
    assert!(crm.process().await.is_none());
    assert_eq!(crm.queue_length().await, 1);
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    crm.check().await;
}

#[tokio::test]
async fn a_paused_move_can_be_cancelled() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    crm.process().await;
    crm.control("pause_lead_migration", run).await;

    let answer = crm.control("cancel_lead_migration", run).await;

    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(answer["leads_moved"], 100);
    assert_eq!(crm.status(run).await, "cancelled");
    assert_eq!(crm.queue_length().await, 0);
    let answer = crm.control("resume_lead_migration", run).await;
    assert_eq!(answer["migration_id"], serde_json::Value::Null);
    assert!(crm.process().await.is_none());
    crm.check().await;
}

#[tokio::test]
async fn enqueueing_a_paused_run_returns_the_same_ids_and_leaves_it_paused() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let first = crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;

    let again = crm.enqueue(run).await;

    assert_eq!(again["migration_id"], first["migration_id"]);
    assert_eq!(again["message_id"], first["message_id"]);
    assert_eq!(crm.status(run).await, "paused");
    assert!(crm.process().await.is_none());
    let error = crm
        .try_enqueue(run, crm.another_target().await, None)
        .await
        .expect_err("it is active");
    assert_eq!(error.code().code(), "LM004");
}
