//! Two hundred cancels amid batches: none is followed by a write, and each returns what was written before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Database, Session, Target, control_in, enqueue_in, eventually, process_in};

async fn writes(session: &Session, run: Uuid) -> i64 {
    session
        .query_one(
            "select count(*) from public.writes where run_id = $1",
            &[&run],
        )
        .await
        .unwrap()
        .get(0)
}

/// Queues two runs in turn, to one target and back, and cancels each while workers process it.
async fn queue_and_cancel(
    session: &Session,
    runs: [Uuid; 2],
    targets: [Target; 2],
    cancels: usize,
) {
    let mut written_at_cancel = [0, 0];
    for n in 0..cancels {
        let run = runs[n % 2];
        // Nothing of it was written after its cancel, while the other run had its turn.
        assert_eq!(writes(session, run).await, written_at_cancel[n % 2]);
        enqueue_in(session, run, targets[n / 2 % 2], Some(5))
            .await
            .expect("nothing is active");
        // Some cancels come at once, others after a batch.
        if n % 4 > 1 {
            eventually("a batch of it is done", async || {
                writes(session, run).await > written_at_cancel[n % 2]
            })
            .await;
        }
        let answer = control_in(session, "cancel_lead_migration", run)
            .await
            .expect("no deadlock");
        let written = writes(session, run).await - written_at_cancel[n % 2];
        assert_eq!(answer["leads_moved"], written, "{answer}");
        written_at_cancel[n % 2] += written;
    }
}

#[tokio::test]
async fn after_each_of_two_hundred_cancels_amid_batches_nothing_more_is_written() {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    let mut applications = JoinSet::new();
    for _ in 0..4 {
        let runs = [crm.run_of(300).await, crm.run_of(1_200).await]; // one lane and two
        let targets = [crm.target, crm.another_target().await];
        let session = database.open().await;
        applications.spawn(async move { queue_and_cancel(&session, runs, targets, 50).await });
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let (session, over) = (database.open().await, Arc::clone(&over));
        workers.spawn(async move {
            let mut batches = 0;
            while !over.load(Ordering::Relaxed) {
                let batch = process_in(&session, None).await.expect("no deadlock");
                batches += i32::from(batch.is_some_and(|batch| batch.success));
            }
            batches
        });
    }
    while let Some(application) = applications.join_next().await {
        application.expect("its assertions hold");
    }
    over.store(true, Ordering::Relaxed);
    let batches: i32 = workers.join_all().await.into_iter().sum();

    assert!(batches >= 100, "only {batches} batches were in the race");
    assert_eq!(crm.queue_length().await, 0);
    let agree: bool = database
        .value(
            "select count(*) = 200
               and bool_and(status in ('cancelled', 'completed'))
               and sum(moved) = (select count(*) from public.writes)
             from public.get_lead_migration_progress()",
            &[],
        )
        .await;
    assert!(agree, "the moves' counts and the writes");
    let most: i64 = database
        .value(
            "select max(n) from (select count(*) as n from public.writes group by by_transaction) w",
            &[],
        )
        .await;
    assert!(most <= 5, "{most} leads in one transaction");
    crm.check().await;
}
