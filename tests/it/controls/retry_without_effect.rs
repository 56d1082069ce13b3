//! When `retry_lead_migration` has nothing to do, or may not.

use serde_json::Value;

use crate::controls::retry::failed_move;
use crate::support::{Database, control_in, enqueue_in};

#[tokio::test]
async fn with_nothing_to_retry_nothing_is_queued() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (never_queued, completed, cancelled) = (
        crm.run_of(3).await,
        crm.run_of(3).await,
        crm.run_of(3).await,
    );
    crm.enqueue(completed).await;
    crm.process_all().await;
    crm.enqueue(cancelled).await;
    crm.control("cancel_lead_migration", cancelled).await;

    for run in [never_queued, completed, cancelled] {
        let answer = crm.control("retry_lead_migration", run).await;

        assert_eq!(answer["success"], true);
        assert_eq!(answer["message_id"], Value::Null);
        assert_eq!(answer["migration_id"], Value::Null);
        assert_eq!(answer["total"], 0);
    }
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn an_active_move_cannot_be_retried() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;

    for prepare in ["pending", "processing", "paused"] {
        match prepare {
            "processing" => drop(crm.process().await),
            "paused" => drop(crm.control("pause_lead_migration", run).await),
            _ => {}
        }
        assert_eq!(crm.status(run).await, prepare);

        let error = control_in(database.session(), "retry_lead_migration", run)
            .await
            .expect_err("it is active");

        assert_eq!(error.code().code(), "LM004");
        assert!(error.hint().is_some());
    }
    assert_eq!(crm.queue_length().await, 1);
}

#[tokio::test]
async fn a_retry_that_waited_for_another_enqueue_reports_that_the_move_is_active() {
    for rival in ["queue_lead_migration", "retry_lead_migration"] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = failed_move(&database, &crm).await;
        let (first, second) = (database.open().await, database.open().await);
        first.batch_execute("begin").await.unwrap();
        if rival == "retry_lead_migration" {
            control_in(&first, rival, run).await.unwrap();
        } else {
            enqueue_in(&first, run, crm.target, None).await.unwrap();
        }

        let (answer, ()) = tokio::join!(control_in(&second, "retry_lead_migration", run), async {
            database.blocked("retry_lead_migration").await;
            first.batch_execute("commit").await.unwrap();
        });

        let error = answer.expect_err("the other has queued it");
        assert_eq!(error.code().code(), "LM004", "{rival}: {error}");
        assert_eq!(crm.queue_length().await, 1);
        crm.check().await;
    }
}
