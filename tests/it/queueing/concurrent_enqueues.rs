//! `queue_lead_migration` by fifty callers at once, in transactions that commit or roll back.

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::error::DbError;

use crate::support::{Crm, Database, enqueue_in, eventually};

/// Waits until so many callers wait for the first.
async fn all_wait(database: &Database, callers: i64) {
    eventually("all of them wait for the first", async || {
        database.waiting().await == callers
    })
    .await;
}

async fn active_moves(database: &Database) -> i64 {
    database
        .value("select count(*) from lead_mover.moves", &[])
        .await
}

#[tokio::test]
async fn of_fifty_callers_those_who_roll_back_leave_the_move_to_the_others() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let target = crm.target;
    let first = database.open().await;
    first.batch_execute("begin").await.unwrap();
    let rolled_back = enqueue_in(&first, run, target, None).await.unwrap();

    let mut callers = JoinSet::new();
    for n in 0..49 {
        let session = database.open().await;
        session.batch_execute("begin").await.unwrap();
        callers.spawn(async move {
            let answer = enqueue_in(&session, run, target, None).await.unwrap();
            let commits = n % 3 == 0;
            let end = if commits { "commit" } else { "rollback" };
            session.batch_execute(end).await.unwrap();
            commits.then_some(answer)
        });
    }
    all_wait(&database, 49).await;
    first.batch_execute("rollback").await.unwrap();

    let answers: Vec<Value> = callers.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 17);
    for answer in &answers {
        assert_eq!(answer["migration_id"], answers[0]["migration_id"]);
        assert_eq!(answer["message_id"], answers[0]["message_id"]);
        assert_eq!(answer["total"], 2_500);
    }
    assert_ne!(answers[0]["migration_id"], rolled_back["migration_id"]);
    assert_eq!(active_moves(&database).await, 1);
    assert_eq!(crm.queue_length().await, 3, "a message a lane");
    crm.check().await;
}

#[tokio::test]
async fn of_fifty_callers_with_two_targets_one_half_gets_lm004() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let targets = [crm.target, crm.another_target().await];
    let first = database.open().await;
    first.batch_execute("begin").await.unwrap();
    enqueue_in(&first, run, targets[0], None).await.unwrap();

    let mut callers = JoinSet::new();
    for n in 0..50 {
        let session = database.open().await;
        let target = targets[n % 2];
        callers.spawn(async move { (n % 2, enqueue_in(&session, run, target, None).await) });
    }
    all_wait(&database, 50).await;
    // The caller that is first now decides which target it is.
    first.batch_execute("rollback").await.unwrap();

    let answers: Vec<(usize, Result<Value, DbError>)> = callers.join_all().await;
    let migration_id: i64 = crm.progress(run).await.get("migration_id");
    let mut wins = [0, 0];
    for (target, answer) in answers {
        match answer {
            Ok(answer) => {
                wins[target] += 1;
                assert_eq!(answer["migration_id"], migration_id);
            }
            Err(error) => assert_eq!(error.code().code(), "LM004", "{error}"),
        }
    }
    assert!(wins == [25, 0] || wins == [0, 25], "{wins:?}");
    assert_eq!(active_moves(&database).await, 1);
    crm.check().await;
}

#[tokio::test]
async fn callers_of_fifty_runs_do_not_wait_for_each_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let held = crm.run_of(1_500).await;
    let holder = database.open().await;
    holder.batch_execute("begin").await.unwrap();
    enqueue_in(&holder, held, crm.target, None).await.unwrap();
    // So does an application that sent its message itself.
    let sender = database.open().await;
    sender.batch_execute("begin").await.unwrap();
    let sent = crm.run_of(10).await;
    sender
        .execute(
            "select pgmq.send('lead_migration_queue', $1::jsonb)",
            &[&Crm::message_to(sent, crm.target)],
        )
        .await
        .unwrap();

    let mut open = Vec::new();
    for _ in 0..50 {
        let run = crm.run_of(3).await;
        let session = database.open().await;
        // The holders do not end, so a caller that waits for them, or for another caller, runs into this time-out.
        session
            .batch_execute("set lock_timeout = '10s'; begin")
            .await
            .unwrap();
        let answer = enqueue_in(&session, run, crm.target, None)
            .await
            .expect("it waits for no other transaction");
        assert_eq!(answer["total"], 3);
        open.push(session);
    }
    assert_eq!(database.waiting().await, 0);
    for session in open.iter().chain([&holder, &sender]) {
        session.batch_execute("commit").await.unwrap();
    }

    crm.check().await;
    crm.process_all().await;
    let completed: i64 = database
        .value(
            "select count(*) from public.get_lead_migration_progress() where status = 'completed'",
            &[],
        )
        .await;
    assert_eq!(completed, 52);
    crm.check().await;
}
