//! The commands that queue and control moves work whatever isolation the database has its transactions begin
//! with: what they wait for changes rows that a stricter transaction could not change any more.

use uuid::Uuid;

use crate::controls::retry::failed_move;
use crate::support::{
    Database, Finished, Session, command, control_in, enqueue_in, eventually, finish, process_in,
};

/// A database whose sessions begin transactions of that isolation from now on.
async fn database_with(isolation: &str) -> Database {
    let database = Database::new().await;
    let isolation = format!("default_transaction_isolation = '{isolation}'");
    database.set(&[&isolation]).await;
    database
}

async fn run(database: &Database, arguments: &[&str]) -> Finished {
    finish(command(arguments).env("DATABASE_URL", database.connection_string())).await
}

/// Runs the command, which waits for the open transaction of that session; commits that.
async fn run_into(database: &Database, session: &Session, name: &str, id: Uuid) -> Finished {
    let id = id.to_string();
    let arguments = [name, &id];
    let (finished, ()) = tokio::join!(run(database, &arguments), async {
        database.blocked(&format!("{name}_lead_migration")).await;
        session.batch_execute("commit").await.unwrap();
    });
    finished
}

/// A session in the middle of a batch of 100 leads.
async fn open_batch(database: &Database) -> Session {
    let worker = database.open().await;
    worker.batch_execute("begin").await.unwrap();
    let batch = process_in(&worker, None).await.unwrap();
    assert_eq!(batch.expect("a message is due").leads_moved, 100);
    worker
}

/// A session that has called the function and not committed.
async fn open_control(database: &Database, function: &str, id: Uuid) -> Session {
    let operator = database.open().await;
    operator.batch_execute("begin").await.unwrap();
    control_in(&operator, function, id).await.unwrap();
    operator
}

async fn moves_are_controlled_under(isolation: &str) {
    let database = database_with(isolation).await;
    let crm = database.crm().await;
    let id = crm.run_of(350).await;
    crm.enqueue(id).await;

    let worker = open_batch(&database).await;
    let paused = run_into(&database, &worker, "pause", id).await;
    assert_eq!(
        (paused.status, paused.stdout.as_str()),
        (
            Some(0),
            "Movimentação pausada: 100 leads movidos, 250 restantes\n"
        ),
        "{paused:?}"
    );
    assert_eq!(crm.status(id).await, "paused");

    let operator = open_control(&database, "resume_lead_migration", id).await;
    let resumed = run_into(&database, &operator, "resume", id).await;
    assert_eq!(resumed.status, Some(0), "{resumed:?}");
    assert_eq!(crm.status(id).await, "processing");

    let worker = open_batch(&database).await;
    let cancelled = run_into(&database, &worker, "cancel", id).await;
    assert_eq!(
        (cancelled.status, cancelled.stdout.as_str()),
        (
            Some(0),
            "Movimentação cancelada: 200 leads movidos, 150 restantes\n"
        ),
        "{cancelled:?}"
    );
    assert_eq!(crm.status(id).await, "cancelled");
    assert_eq!(crm.leads_at(id, crm.target).await, 200);

    let failed = failed_move(&database, &crm).await;
    let operator = open_control(&database, "retry_lead_migration", failed).await;
    let retried = run_into(&database, &operator, "retry", failed).await;
    assert_eq!(retried.status, Some(1));
    assert!(retried.stderr.contains("LM004"), "{retried:?}");
    crm.check().await;
}

#[tokio::test]
async fn under_repeatable_read_moves_are_controlled() {
    moves_are_controlled_under("repeatable read").await;
}

#[tokio::test]
async fn under_serializable_moves_are_controlled() {
    moves_are_controlled_under("serializable").await;
}

async fn enqueues_at_once_are_one_move_under(isolation: &str) {
    let database = database_with(isolation).await;
    let crm = database.crm().await;
    let id = crm.run_of(150).await;
    let first = database.open().await;
    first.batch_execute("begin").await.unwrap();
    let first_answer = enqueue_in(&first, id, crm.target, Some(100)).await.unwrap();
    let ids = [id, crm.target.funnel, crm.target.column].map(|id| id.to_string());
    let arguments = ["enqueue", &ids[0], &ids[1], &ids[2], "--json"];

    let (second, third, ()) = tokio::join!(
        run(&database, &arguments),
        run(&database, &arguments),
        async {
            eventually("both wait for the first", async || {
                database.waiting().await == 2
            })
            .await;
            first.batch_execute("commit").await.unwrap();
        }
    );

    for finished in [second, third] {
        assert_eq!(finished.status, Some(0), "{finished:?}");
        let answer: serde_json::Value = serde_json::from_str(&finished.stdout).expect("JSON");
        assert_eq!(answer["migration_id"], first_answer["migration_id"]);
        assert_eq!(answer["message_id"], first_answer["message_id"]);
    }
    assert_eq!(crm.queue_length().await, 1);
    crm.process_all().await;
    assert_eq!(crm.status(id).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn under_repeatable_read_enqueues_at_once_are_one_move() {
    enqueues_at_once_are_one_move_under("repeatable read").await;
}

#[tokio::test]
async fn under_serializable_enqueues_at_once_are_one_move() {
    enqueues_at_once_are_one_move_under("serializable").await;
}
