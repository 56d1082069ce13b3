//! `queue_lead_migration`, against the contract's example.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, Target, enqueue_in, eventually};

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn the_answer_has_the_contracts_keys_and_values() {
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
async fn asking_again_answers_with_the_same_ids_and_queues_nothing_new() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let first = crm.enqueue(run).await;

    let again = crm.enqueue(run).await;
    crm.process().await; // which puts the message back under another id
    let later = crm.enqueue(run).await;

    for answer in [again, later] {
        assert_eq!(answer["message_id"], first["message_id"]);
        assert_eq!(answer["migration_id"], first["migration_id"]);
    }
    assert_eq!(crm.queue_length().await, 1);
}

#[tokio::test]
async fn fifty_callers_at_once_queue_one_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let target = crm.target;
    // The first of them is still in its transaction while the others ask.
    let first = database.open().await;
    first.batch_execute("begin").await.unwrap();
    let first_answer = enqueue_in(&first, run, target, Some(100)).await.unwrap();

    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..49 {
        let session = database.open().await;
        callers.spawn(async move { enqueue_in(&session, run, target, Some(100)).await.unwrap() });
    }
    eventually("all of them wait for the first", async || {
        database.waiting().await == 49
    })
    .await;
    first.batch_execute("commit").await.unwrap();

    while let Some(answer) = callers.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer["migration_id"], first_answer["migration_id"]);
        assert_eq!(answer["message_id"], first_answer["message_id"]);
    }
    assert_eq!(crm.queue_length().await, 1);
    crm.check().await;
}

#[tokio::test]
async fn an_enqueue_waits_for_no_enqueue_of_another_run() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (held, free) = (crm.run_of(10).await, crm.run_of(10).await);
    let holder = database.open().await;
    holder.batch_execute("begin").await.unwrap();
    enqueue_in(&holder, held, crm.target, None).await.unwrap();

    database.run("set lock_timeout = '1ms'").await;
    let answer = crm.enqueue(free).await;

    assert_eq!(answer["total"], 10);
}

#[tokio::test]
async fn nothing_is_queued_unless_the_caller_commits() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;

    database.run("begin").await;
    crm.enqueue(run).await;
    database.run("rollback").await;

    assert_eq!(crm.queue_length().await, 0);
    assert!(crm.process().await.is_none());
    assert_eq!(crm.leads_at(run, crm.inbox).await, 10);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_contracts_sqlstates_and_changes_nothing() {
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
async fn missing_parameters_are_refused_and_a_null_batch_size_is_the_default() {
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
async fn two_targets_at_once_leave_one_move_and_one_lm004() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let elsewhere = crm.another_target().await;
    let first = database.open().await;
    let second = database.open().await;
    first.batch_execute("begin").await.unwrap();
    enqueue_in(&first, run, crm.target, None).await.unwrap();

    let mut rival = tokio::task::JoinSet::new();
    rival.spawn(async move { enqueue_in(&second, run, elsewhere, None).await });
    eventually("the second waits for the first", async || {
        database.waiting().await == 1
    })
    .await;
    first.batch_execute("commit").await.unwrap();

    let answer = rival.join_next().await.expect("it was asked").unwrap();
    let error = answer.expect_err("the first was there first");
    assert_eq!(error.code().code(), "LM004");
    assert_eq!(crm.queue_length().await, 1);
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
