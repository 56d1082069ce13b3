//! The counts of finished moves where moves were there before them: an upgrade, and a dump that is restored.

use crate::support::{
    Database, Gate, add_moves, assert_moves_are_counted, eventually, process_in, restored,
};

/// A database as it was before moves were counted. A role of the operator's may take samples.
async fn database_without_counts() -> Database {
    let database = Database::new().await;
    database
        .run(
            "drop table lead_mover.finished_counts;
             drop function lead_mover.count_finished_moves() cascade;
             drop function lead_mover.sample(), lead_mover.read_sample();
             create function lead_mover.sample()
             returns table (queue_depth bigint, oldest_message_age_seconds double precision,
               leads_remaining bigint, status_counts jsonb)
             language sql as $$ select 0::bigint, 0::double precision, 0::bigint, '{}'::jsonb $$;
             comment on function lead_mover.sample() is 'One reading.';
             revoke all on function lead_mover.sample() from public;
             grant execute on function lead_mover.sample() to lead_mover_stranger;
             create index moves_status_idx on lead_mover.moves (status);
             delete from lead_mover.schema_files
             where path like 'triggers/finished%' or path like '%finished_moves.sql' or path like '%sample.sql'",
        )
        .await;
    database
}

#[tokio::test]
async fn an_upgrade_counts_the_moves_that_have_finished() {
    let database = database_without_counts().await;
    for (status, moves) in [("completed", 30), ("failed", 20), ("paused", 10)] {
        add_moves(database.session(), status, moves).await;
    }

    let migrated = database.migrate(&[]).await;

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_moves_are_counted(database.session()).await;
    add_moves(database.session(), "completed", 1).await;
    assert_moves_are_counted(database.session()).await;
}

#[tokio::test]
async fn a_role_that_may_take_samples_may_after_the_upgrade_too() {
    let database = database_without_counts().await;

    let migrated = database.migrate(&[]).await;

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    for (role, may) in [("lead_mover_stranger", true), ("public", false)] {
        let granted: bool = database
            .value(
                "select has_function_privilege($1, 'lead_mover.sample()', 'execute')",
                &[&role],
            )
            .await;
        assert_eq!(granted, may, "{role}");
    }
    let stalled: i64 = database
        .value("select migrations_stalled from lead_mover.sample()", &[])
        .await;
    assert_eq!(stalled, 0);
}

#[tokio::test]
async fn a_move_that_ends_during_the_upgrade_is_counted() {
    let database = database_without_counts().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    let worker = database.open().await;
    worker.batch_execute("begin").await.unwrap();
    let batch = process_in(&worker, None).await.unwrap();
    assert_eq!(batch.expect("it is due").leads_remaining, 0);

    let (migrated, ()) = tokio::join!(database.migrate(&[]), async {
        eventually("the upgrade waits for the batch", async || {
            database.waiting_for("relation").await == 1
        })
        .await;
        worker.batch_execute("commit").await.unwrap();
    });

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_moves_are_counted(database.session()).await;
}

/// It has read the move, and will write it.
#[tokio::test]
async fn an_upgrade_and_a_batch_that_goes_on_to_end_its_move_do_not_wait_for_each_other() {
    let database = database_without_counts().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    let gate = Gate::close(&database).await;
    let worker = database.open().await;

    let (batch, migrated, ()) = tokio::join!(
        process_in(&worker, None),
        async {
            gate.reached_by(1).await;
            database.migrate(&[]).await
        },
        async {
            eventually("the upgrade waits for the batch", async || {
                database.waiting_for("relation").await == 1
            })
            .await;
            gate.open().await;
        }
    );

    let batch = batch.expect("no deadlock").expect("it is due");
    assert!(batch.success, "{batch:?}");
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_moves_are_counted(database.session()).await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn a_dump_that_is_restored_has_the_counts() {
    let database = Database::new().await;
    for (status, moves) in [("completed", 30), ("failed", 20), ("paused", 10)] {
        add_moves(database.session(), status, moves).await;
    }

    let restored = restored(&database, &["--inserts"], "").await;

    assert_moves_are_counted(restored.session()).await;
    add_moves(restored.session(), "completed", 1).await;
    assert_moves_are_counted(restored.session()).await;
    let counted: i64 = restored
        .value(
            "select (status_counts -> 'completed')::bigint from lead_mover.sample()",
            &[],
        )
        .await;
    assert_eq!(counted, 31);
}
