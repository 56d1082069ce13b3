//! `queue_lead_migration`, against the contract's example.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, Target};

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn the_result_has_the_contracts_keys_and_values() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(478).await;

    let answer = crm.enqueue(run).await;

    let message_id: i64 = database
        .value("select msg_id from pgmq.q_lead_migration_queue", &[])
        .await;
    assert_eq!(
        answer,
        json!({
            "success": true,
            "message_id": message_id,
            "migration_id": answer["migration_id"].as_i64().expect("a number"),
            "run_id": run,
            "run_name": "Restaurantes - 10/12/2025 09:07",
            "funnel_id": crm.target.funnel,
            "column_id": crm.target.column,
            "total": 478,
            "message": "Movimentação enfileirada: 478 leads serão movidos",
        })
    );
}

#[tokio::test]
async fn the_message_in_the_queue_has_the_contracts_shape() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let message: Value = database
        .value("select message from pgmq.q_lead_migration_queue", &[])
        .await;

    assert!(
        keys(&message).is_superset(&BTreeSet::from([
            "run_id",
            "run_name",
            "funnel_id",
            "column_id",
            "batch_size",
            "created_at",
            "status",
            "progress"
        ])),
        "{message}"
    );
    assert_eq!(message["run_id"], json!(run));
    assert_eq!(message["batch_size"], 100);
    assert_eq!(message["status"], "pending");
    assert_eq!(
        message["progress"],
        json!({ "moved": 0, "remaining": 250, "total": 250, "last_batch_at": null })
    );
    let created_at: chrono::DateTime<chrono::Utc> = message["created_at"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("a timestamp");
    assert!(
        (chrono::Utc::now() - created_at).num_seconds().abs() < 60,
        "{created_at}"
    );

    crm.process().await;

    let message: Value = database
        .value("select message from pgmq.q_lead_migration_queue", &[])
        .await;
    assert_eq!(message["status"], "processing");
    assert_eq!(message["progress"]["moved"], 100);
    assert_eq!(message["progress"]["remaining"], 150);
    assert_eq!(message["progress"]["total"], 250);
    assert!(
        message["progress"]["last_batch_at"].is_string(),
        "{message}"
    );
}

#[tokio::test]
async fn with_no_lead_to_move_nothing_is_queued() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;

    let answer = crm
        .try_enqueue(run, crm.inbox, Some(100))
        .await
        .expect("no error");

    assert_eq!(answer["success"], true);
    assert_eq!(answer["message_id"], Value::Null);
    assert_eq!(answer["total"], 0);
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn queueing_again_returns_the_same_ids_and_queues_nothing_new() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let first = crm.enqueue(run).await;

    let again = crm.enqueue(run).await;
    crm.process().await; // which puts the message back with another id
    let later = crm.enqueue(run).await;

    for answer in [again, later] {
        assert_eq!(answer["message_id"], first["message_id"]);
        assert_eq!(answer["migration_id"], first["migration_id"]);
    }
    assert_eq!(crm.queue_length().await, 1);
}

#[tokio::test]
async fn what_cannot_be_queued_raises_the_contracts_sqlstates_and_changes_nothing() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let elsewhere = crm.another_target().await;
    let nowhere = Uuid::new_v4();
    let mixed = Target {
        funnel: crm.target.funnel,
        column: elsewhere.column,
    };
    let no_column = Target {
        funnel: crm.target.funnel,
        column: nowhere,
    };

    for (code, run, target, batch_size) in [
        ("LM001", nowhere, crm.target, Some(100)),
        ("LM002", run, no_column, Some(100)),
        ("LM002", run, mixed, Some(100)),
        ("LM003", run, crm.target, Some(0)),
        ("LM003", run, crm.target, Some(-1)),
        ("LM003", run, crm.target, Some(10_001)),
        ("LM003", run, crm.target, Some(i32::MAX)),
    ] {
        let error = crm
            .try_enqueue(run, target, batch_size)
            .await
            .expect_err(code);
        assert_eq!(error.code().code(), code, "{error}");
        assert!(!error.message().is_empty());
        assert!(error.hint().is_some(), "{code} has no hint");
    }
    assert_eq!(crm.queue_length().await, 0);

    let active = crm.enqueue(run).await;
    let error = crm
        .try_enqueue(run, elsewhere, Some(100))
        .await
        .expect_err("LM004");
    assert_eq!(error.code().code(), "LM004");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("cancel_lead_migration"),
        "{error:?}"
    );
    assert_eq!(
        crm.enqueue(run).await["migration_id"],
        active["migration_id"]
    );
}

#[tokio::test]
async fn missing_parameters_raise_an_error_and_a_null_batch_size_is_the_default() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;

    let error = database
        .session()
        .query_one("select public.queue_lead_migration(null, null, null)", &[])
        .await
        .expect_err("no run");
    assert_eq!(error.code().expect("a code").code(), "LM001");

    crm.try_enqueue(run, crm.target, None)
        .await
        .expect("null means the default");
    assert_eq!(crm.process().await.expect("a batch").leads_moved, 100);
}

#[tokio::test]
async fn a_large_run_is_split_into_lanes_and_a_small_one_is_not() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (everyday, large) = (crm.run_of(992).await, crm.run_of(5_140).await);

    crm.enqueue(everyday).await;
    assert_eq!(crm.queue_length().await, 1);

    let answer = crm.enqueue(large).await;
    assert_eq!(answer["total"], 5_140);
    assert_eq!(crm.queue_length().await, 1 + 6);

    let batches = crm.process_all().await;

    assert_eq!(
        batches.len(),
        10 + 52,
        "only the last batch of a move is a short one"
    );
    assert!(
        batches
            .iter()
            .all(|batch| batch.success && batch.leads_moved <= 100)
    );
    assert_eq!(crm.leads_at(large, crm.target).await, 5_140);
    assert_eq!(crm.status(large).await, "completed");
    crm.check().await;
}
