//! `queue_lead_migration` from several sessions at once.

use crate::support::{Database, enqueue_in, eventually};

#[tokio::test]
async fn fifty_callers_at_once_queue_one_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let target = crm.target;
    // The first of them is still in its transaction while the others call.
    let first = database.open().await;
    first.batch_execute("begin").await.unwrap();
    let first_answer = enqueue_in(&first, run, target, Some(100)).await.unwrap();

    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..49 {
        let session = database.open().await;
        callers.spawn(async move { enqueue_in(&session, run, target, Some(100)).await.unwrap() });
    }
    let all_wait = eventually("all of them wait for the first", async || {
        database.waiting().await == 49
    });
    tokio::select! {
        _ = callers.join_next() => panic!("one does not wait"),
        () = all_wait => {}
    }
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

    // The holder does not end, so a caller that waits for it runs into this time-out.
    database.run("set lock_timeout = '10s'").await;
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
    database.blocked("queue_lead_migration").await;
    first.batch_execute("commit").await.unwrap();

    let answer = rival.join_next().await.expect("it was asked").unwrap();
    let error = answer.expect_err("the first has queued it");
    assert_eq!(error.code().code(), "LM004");
    assert_eq!(crm.queue_length().await, 1);
}
