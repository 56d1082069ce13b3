//! Lanes of one move end one by one, or at once; the last of them ends the move.

use crate::support::{Database, eventually, process_in};

#[tokio::test]
async fn a_lane_that_ends_leaves_the_move_to_the_others() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_000).await;
    crm.try_enqueue(run, crm.target, Some(1_000)).await.unwrap();
    assert_eq!(crm.queue_length().await, 2);

    let first = crm.process().await.expect("it is due");

    assert_eq!((first.leads_moved, first.leads_remaining), (1_000, 1_000));
    assert_eq!(crm.status(run).await, "processing");
    assert_eq!(crm.queue_length().await, 1);
    crm.check().await;
    let last = crm.process().await.expect("it is due");
    assert_eq!((last.leads_moved, last.leads_remaining), (1_000, 0));
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn lanes_that_end_at_once_end_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_000).await;
    crm.try_enqueue(run, crm.target, Some(500)).await.unwrap();
    // The first batch of each, so that only the end is left.
    crm.process().await;
    crm.process().await;
    let (first, second) = (database.open().await, database.open().await);
    first.batch_execute("begin").await.unwrap();
    process_in(&first, None).await.unwrap().expect("it is due");

    let mut other = tokio::task::JoinSet::new();
    other.spawn(async move { process_in(&second, None).await });
    let waits = eventually("the other waits for the first", async || {
        database.waiting().await == 1
    });
    tokio::select! {
        _ = other.join_next() => {}
        () = waits => {}
    }
    first.batch_execute("commit").await.unwrap();
    other.join_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 2_000);
    crm.check().await;
}
