//! The counts of finished moves, which a sample reads instead of the moves.

use crate::support::{Database, Session, add_moves, assert_moves_are_counted, value};

/// More rows than are left as they are.
const MANY: i32 = 1_200;

async fn rows(session: &Session) -> i64 {
    let query = "select count(*) from lead_mover.finished_counts";
    value(session, query, &[]).await
}

#[tokio::test]
async fn a_move_is_counted_from_its_start_to_its_end() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (moved, stopped) = (crm.run_of(150).await, crm.run_of(10).await);

    crm.enqueue(moved).await;
    crm.enqueue(stopped).await;
    crm.control("pause_lead_migration", stopped).await;
    assert_moves_are_counted(database.session()).await;
    crm.process().await;
    assert_moves_are_counted(database.session()).await;
    crm.process().await;
    crm.control("cancel_lead_migration", stopped).await;

    assert_moves_are_counted(database.session()).await;
    let counts: serde_json::Value = database
        .value("select status_counts from lead_mover.sample()", &[])
        .await;
    let expected = serde_json::json!({ "completed": 1, "cancelled": 1 });
    assert_eq!(counts, expected);
}

#[tokio::test]
async fn whatever_changes_the_table_is_counted() {
    let database = Database::new().await;
    let session = database.session();
    for (status, moves) in [("completed", 30), ("failed", 20), ("paused", 10)] {
        add_moves(session, status, moves).await;
    }
    assert_moves_are_counted(session).await;

    for statement in [
        "update lead_mover.moves set status = 'cancelled', finished_at = now()
         where status = 'paused' and migration_id % 2 = 0",
        "update lead_mover.moves set status = 'completed_with_errors' where migration_id % 3 = 0 and finished_at is not null",
        "update lead_mover.moves set run_name = 'another'",
        "update lead_mover.moves set status = 'processing', finished_at = null where migration_id = 1",
        "update lead_mover.moves set status = 'failed' where false",
        "delete from lead_mover.moves where migration_id % 5 = 0",
        "insert into lead_mover.moves overriding system value
         select * from lead_mover.moves where migration_id = 3
         on conflict (migration_id) do update set status = 'failed'",
        "merge into lead_mover.moves m using (values (7), (9)) as v (id) on m.migration_id = v.id
         when matched and v.id = 7 then delete
         when matched then update set status = 'cancelled'",
        "update lead_mover.moves set retry_of = (select min(migration_id) from lead_mover.moves) where migration_id > 40",
        "delete from lead_mover.moves where migration_id = (select min(migration_id) from lead_mover.moves)",
        "begin; delete from lead_mover.moves; rollback",
        "begin; savepoint s; delete from lead_mover.moves where migration_id > 20; rollback to s;
         delete from lead_mover.moves where migration_id > 50; commit",
        "truncate lead_mover.moves cascade",
    ] {
        database.run(statement).await;
        assert_moves_are_counted(session).await;
    }
    assert_eq!(rows(session).await, 0);
}

#[tokio::test]
async fn changes_by_a_role_that_has_no_right_on_the_counts_are_counted() {
    let database = Database::new().await;
    add_moves(database.session(), "completed", 5).await;
    database
        .run(
            "alter table lead_mover.moves disable row level security;
             grant usage on schema lead_mover to lead_mover_stranger;
             grant select, insert, update, delete on lead_mover.moves to lead_mover_stranger",
        )
        .await;
    let stranger = database.open_in_role("lead_mover_stranger").await;

    stranger
        .batch_execute(
            "update lead_mover.moves set status = 'failed' where migration_id = 1;
             delete from lead_mover.moves where migration_id = 2",
        )
        .await
        .expect("it has the rights on the moves");

    assert_moves_are_counted(database.session()).await;
}

#[tokio::test]
async fn samples_fold_many_rows_into_few_and_leave_few_as_they_are() {
    let database = Database::new().await;
    let session = database.session();
    for status in ["completed", "failed", "cancelled"] {
        add_moves(session, status, 1).await;
    }
    assert_moves_are_counted(session).await;
    assert_eq!(rows(session).await, 3);
    for _ in 0..MANY {
        add_moves(session, "completed", 1).await;
    }
    assert_eq!(rows(session).await, 3 + i64::from(MANY));

    assert_moves_are_counted(session).await;

    assert_eq!(rows(session).await, 3);
    assert_moves_are_counted(session).await;
}

#[tokio::test]
async fn a_sample_folds_nothing_where_it_may_not() {
    let database = Database::new().await;
    let session = database.session();
    add_moves(session, "completed", 1).await;
    database
        .run(&format!(
            "insert into lead_mover.finished_counts (status, moves)
             select 'failed', case when n % 2 = 0 then 1 else -1 end from generate_series(1, {MANY}) as n"
        ))
        .await;
    let before = rows(session).await;

    for start in [
        "begin read only",
        "begin isolation level repeatable read",
        "begin isolation level serializable",
    ] {
        database.run(start).await;
        assert_moves_are_counted(session).await;
        database.run("commit").await;
        assert_eq!(rows(session).await, before, "{start}");
    }
}
