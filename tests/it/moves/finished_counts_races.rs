//! The counts of finished moves while several sessions end moves and take samples. No session waits for another.

use tokio::task::JoinSet;

use crate::support::{Crm, Database, Session, add_moves, assert_moves_are_counted, process_in};

/// More rows than are left as they are.
const MANY: i32 = 1_200;

/// A session with an open transaction in which it has ended a move. It would rather fail than wait.
async fn has_ended_a_move(database: &Database, crm: &Crm<'_>) -> Session {
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    let session = impatient(database).await;
    session.batch_execute("begin").await.unwrap();
    let batch = process_in(&session, None)
        .await
        .expect("nothing to wait for");
    assert_eq!(batch.expect("it is due").leads_remaining, 0);
    session
}

async fn impatient(database: &Database) -> Session {
    let session = database.open().await;
    session
        .batch_execute("set lock_timeout = '2s'")
        .await
        .unwrap();
    session
}

/// As many rows of counts as moves.
async fn add_many_moves(session: &Session) {
    session
        .batch_execute(&format!(
            "do $$
             begin
               for n in 1..{MANY} loop
                 insert into lead_mover.moves (run_id, funnel_id, column_id, batch_size, status, open_lanes, finished_at)
                 values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 100, 'completed', 0, now());
               end loop;
             end
             $$"
        ))
        .await
        .expect("they are added");
}

#[tokio::test]
async fn sessions_that_end_moves_at_once_do_not_wait_for_each_other() {
    let database = Database::new().await;
    let crm = database.crm().await;

    let first = has_ended_a_move(&database, &crm).await;
    let second = has_ended_a_move(&database, &crm).await;
    let third = has_ended_a_move(&database, &crm).await;

    assert_moves_are_counted(database.session()).await;
    second.batch_execute("commit").await.unwrap();
    assert_moves_are_counted(database.session()).await;
    first.batch_execute("rollback").await.unwrap();
    assert_moves_are_counted(database.session()).await;
    third.batch_execute("commit").await.unwrap();
    assert_moves_are_counted(database.session()).await;
    crm.check().await;
}

#[tokio::test]
async fn folding_waits_for_no_move_that_ends_and_no_end_waits_for_folding() {
    let database = Database::new().await;
    let crm = database.crm().await;
    add_many_moves(database.session()).await;
    let ending = has_ended_a_move(&database, &crm).await;
    let folding = impatient(&database).await;
    folding.batch_execute("begin").await.unwrap();

    assert_moves_are_counted(&folding).await;

    let during = has_ended_a_move(&database, &crm).await;
    during.batch_execute("commit").await.unwrap();
    let after = impatient(&database).await;
    for session in [&ending, &folding, &after] {
        assert_moves_are_counted(session).await;
    }
    ending.batch_execute("commit").await.unwrap();
    assert_moves_are_counted(&after).await;
    assert_moves_are_counted(&folding).await;
    folding.batch_execute("commit").await.unwrap();
    assert_moves_are_counted(&after).await;
    let rows: i64 = database
        .value("select count(*) from lead_mover.finished_counts", &[])
        .await;
    assert!(rows < 10, "{rows} rows");
}

#[tokio::test]
async fn a_fold_that_is_undone_loses_no_count() {
    let database = Database::new().await;
    add_many_moves(database.session()).await;
    let folding = impatient(&database).await;
    folding.batch_execute("begin").await.unwrap();

    assert_moves_are_counted(&folding).await;
    assert_moves_are_counted(&folding).await;
    folding.batch_execute("rollback").await.unwrap();

    assert_moves_are_counted(&folding).await;
}

#[tokio::test]
async fn a_snapshot_from_before_a_fold_has_the_counts_of_its_time() {
    let database = Database::new().await;
    add_many_moves(database.session()).await;
    let reader = impatient(&database).await;
    reader
        .batch_execute("begin isolation level repeatable read")
        .await
        .unwrap();
    assert_moves_are_counted(&reader).await;

    add_moves(database.session(), "failed", 3).await;
    assert_moves_are_counted(database.session()).await;

    assert_moves_are_counted(&reader).await;
    reader.batch_execute("commit").await.unwrap();
    assert_moves_are_counted(&reader).await;
}

#[tokio::test]
async fn many_that_end_moves_and_take_samples_at_once_lose_no_count() {
    let database = Database::new().await;
    add_many_moves(database.session()).await;
    let mut racing = JoinSet::new();
    for status in ["completed", "failed", "cancelled"] {
        let session = impatient(&database).await;
        racing.spawn(async move {
            for _ in 0..400 {
                add_moves(&session, status, 1).await;
            }
        });
    }
    for _ in 0..3 {
        let session = impatient(&database).await;
        racing.spawn(async move {
            for _ in 0..100 {
                assert_moves_are_counted(&session).await;
            }
        });
    }
    racing.join_all().await;

    assert_moves_are_counted(database.session()).await;
}
