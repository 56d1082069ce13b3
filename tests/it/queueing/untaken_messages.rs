//! Messages that an application sent itself and that no worker has taken yet: cancelled, paused.

use serde_json::json;
use uuid::Uuid;

use crate::support::{Crm, Database, control_during_a_batch};

/// How PostgreSQL understands the id of a run.
fn notations(run: Uuid) -> [String; 5] {
    [
        run.to_string(),
        run.to_string().to_uppercase(),
        run.simple().to_string(),
        run.braced().to_string(),
        format!("{{{}}}", run.simple().to_string().to_uppercase()),
    ]
}

#[tokio::test]
async fn cancelled_however_the_runs_id_is_written() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    for notation in notations(run) {
        let mut message = Crm::message_to(run, crm.target);
        message["run_id"] = json!(notation);
        crm.send(&message).await;

        let answer = crm.control("cancel_lead_migration", run).await;

        assert_eq!(answer["cancelled_messages"], 1, "{notation}");
        assert!(crm.process().await.is_none(), "{notation}");
    }
    assert_eq!(crm.leads_at(run, crm.inbox).await, 10);
    crm.check().await;
}

#[tokio::test]
async fn paused_however_the_runs_id_is_written() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for n in 0..5 {
        let (run, other) = (crm.run_of(150).await, crm.run_of(5).await);
        let mut message = Crm::message_to(run, crm.target);
        message["run_id"] = json!(notations(run)[n]);
        let message_id = crm.send(&message).await;
        crm.send(&Crm::message_to(other, crm.target)).await;

        let answer = crm.control("pause_lead_migration", run).await;

        assert_eq!(answer["status"], "paused", "{answer}");
        assert_eq!(answer["leads_remaining"], 150);
        crm.process_all().await;
        assert_eq!(crm.status(other).await, "completed");
        assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
        assert_eq!(crm.enqueue(run).await["message_id"], message_id);
        crm.check().await;
        crm.control("resume_lead_migration", run).await;
        crm.process_all().await;
        assert_eq!(crm.status(run).await, "completed");
    }
    crm.check().await;
}

#[tokio::test]
async fn of_several_for_one_run_the_first_is_paused_and_the_others_are_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let first = crm.send(&Crm::message_to(run, crm.target)).await;
    let again = crm.send(&Crm::message_to(run, crm.target)).await;
    let elsewhere = crm.another_target().await;
    let rival = crm.send(&Crm::message_to(run, elsewhere)).await;

    let answer = crm.control("pause_lead_migration", run).await;

    assert_eq!(answer["status"], "paused", "{answer}");
    assert_eq!(crm.enqueue(run).await["message_id"], first);
    assert_eq!(crm.archived(again).await["sqlstate"], "00000");
    assert_eq!(crm.archived(rival).await["sqlstate"], "LM004");
    assert_eq!(crm.queue_length().await, 3, "a message a lane");
    assert!(crm.process().await.is_none());
    crm.check().await;
    let answer = crm.control("cancel_lead_migration", run).await;
    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 2_500);
    crm.check().await;
}

#[tokio::test]
async fn one_that_cannot_be_understood_is_archived_and_not_paused() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let message_id = crm.send(&json!({ "run_id": run, "batch_size": 0 })).await;

    let answer = crm.control("pause_lead_migration", run).await;

    assert_eq!(answer["success"], true);
    assert_eq!(answer["migration_id"], json!(null));
    assert_eq!(crm.archived(message_id).await["sqlstate"], "LM003");
    assert!(crm.process().await.is_none());
}

#[tokio::test]
async fn a_pause_waits_for_the_batch_that_is_taking_the_message() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.send(&Crm::message_to(run, crm.target)).await;

    let (batch, answer) = control_during_a_batch(&database, "pause_lead_migration", run).await;

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 100);
    let answer = answer.unwrap();
    assert_eq!(answer["status"], "paused", "{answer}");
    assert_eq!(answer["leads_moved"], 100);
    assert!(crm.process().await.is_none());
    assert_eq!(crm.queue_length().await, 1);
    let archived: i64 = database
        .value("select count(*) from pgmq.a_lead_migration_queue", &[])
        .await;
    assert_eq!(archived, 0, "the move's own message is not a second one");
    crm.check().await;
    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
}
