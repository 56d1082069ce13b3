//! Cancels at the same time as the last batch, batches of several lanes, an adoption, a failure, and a hundred
//! batches.

use tokio::task::JoinSet;

use crate::support::{Crm, Database, Gate, control_during_a_batch, control_in, process_in};

#[tokio::test]
async fn a_cancel_that_meets_the_last_batch_finds_the_move_completed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    crm.enqueue(run).await;

    let (batch, answer) = control_during_a_batch(&database, "cancel_lead_migration", run).await;

    assert_eq!(batch.unwrap().expect("it was due").leads_remaining, 0);
    let answer = answer.unwrap();
    assert_eq!(answer["success"], true);
    assert_eq!(answer["cancelled_messages"], 0);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    crm.check().await;
}

#[tokio::test]
async fn a_cancel_waits_for_every_lanes_running_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.enqueue(run).await;
    assert_eq!(crm.queue_length().await, 3);
    let gate = Gate::close(&database).await;
    let (first, second, canceller) = (
        database.open().await,
        database.open().await,
        database.open().await,
    );

    let (one, two, answer, ()) = tokio::join!(
        process_in(&first, None),
        process_in(&second, None),
        async {
            gate.reached_by(2).await;
            control_in(&canceller, "cancel_lead_migration", run).await
        },
        async {
            database.blocked("cancel_lead_migration").await;
            // A batch that began would stop at the gate, and run into this time-out.
            database.run("set statement_timeout = '10s'").await;
            assert!(
                crm.process().await.is_none(),
                "while a cancel waits no batch of the third lane begins"
            );
            gate.open().await;
        }
    );

    assert!(one.unwrap().expect("due").success && two.unwrap().expect("due").success);
    let answer = answer.unwrap();
    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(answer["leads_moved"], 200);
    assert_eq!(answer["leads_remaining"], 2_300);
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.leads_at(run, crm.target).await, 200);
    crm.check().await;
}

#[tokio::test]
async fn a_message_that_is_being_adopted_is_cancelled_with_the_move_it_becomes() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.send(&Crm::message_to(run, crm.target)).await;

    let (batch, answer) = control_during_a_batch(&database, "cancel_lead_migration", run).await;

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 100);
    let answer = answer.unwrap();
    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(answer["leads_moved"], 100);
    assert_eq!(crm.status(run).await, "cancelled");
    assert!(crm.process().await.is_none());
    assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
    crm.check().await;
}

#[tokio::test]
async fn a_cancel_and_a_batch_that_ends_the_move_as_failed_do_not_wait_for_each_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    database
        .fill_disk("after update on public.leads for each statement")
        .await;
    crm.enqueue(run).await;
    // The last lane, whose message is the last in the table, is at its last attempt.
    database
        .run(
            "update lead_mover.lanes set attempts = 9 where lane = 3;
             update pgmq.q_lead_migration_queue set vt = clock_timestamp() + interval '1 h'
             where (message ->> 'lane')::integer <> 3;
             update pgmq.q_lead_migration_queue set vt = clock_timestamp()
             where (message ->> 'lane')::integer = 3",
        )
        .await;

    let (batch, answer) = control_during_a_batch(&database, "cancel_lead_migration", run).await;

    assert!(!batch.expect("no deadlock").expect("it was due").success);
    assert_eq!(answer.expect("no deadlock")["success"], true);
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 2_500);
    crm.check().await;
}

#[tokio::test]
async fn a_hundred_cancels_racing_a_hundred_batches_end_without_a_deadlock() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let mut runs = Vec::new();
    for _ in 0..10 {
        let run = crm.run_of(300).await;
        crm.try_enqueue(run, crm.target, Some(2)).await.unwrap();
        runs.push(run);
    }
    let lanes = crm.run_of(2_100).await;
    crm.try_enqueue(lanes, crm.target, Some(10)).await.unwrap();
    runs.push(lanes);

    // Each needs more than the hundred batches, so none can be completed before it is cancelled.
    let mut racing = JoinSet::new();
    for _ in 0..5 {
        let session = database.open().await;
        racing.spawn(async move {
            for _ in 0..20 {
                process_in(&session, None).await.expect("no deadlock");
            }
        });
    }
    for offset in 0..5 {
        let session = database.open().await;
        let runs = runs.clone();
        racing.spawn(async move {
            for n in 0..20 {
                let run = runs[(n + offset) % runs.len()];
                control_in(&session, "cancel_lead_migration", run)
                    .await
                    .expect("no deadlock");
            }
        });
    }
    racing.join_all().await;

    crm.check().await;
    assert!(crm.process().await.is_none());
    assert_eq!(crm.queue_length().await, 0);
    for run in runs {
        let progress = crm.progress(run).await;
        assert_eq!(progress.get::<_, String>("status"), "cancelled");
        assert_eq!(
            progress.get::<_, i64>("moved"),
            crm.leads_at(run, crm.target).await
        );
    }
}

#[tokio::test]
async fn a_cancel_that_comes_before_the_last_batch_leaves_it_nothing_to_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    crm.process().await;
    let operator = database.open().await;
    operator.batch_execute("begin").await.unwrap();

    let answer = control_in(&operator, "cancel_lead_migration", run)
        .await
        .unwrap();

    assert_eq!(answer["leads_moved"], 100);
    assert_eq!(answer["leads_remaining"], 50);
    assert!(
        crm.process().await.is_none(),
        "the last batch neither waits for the cancel nor goes ahead of it"
    );
    operator.batch_execute("commit").await.unwrap();
    assert!(crm.process().await.is_none());
    assert_eq!(crm.status(run).await, "cancelled");
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    crm.check().await;
}
