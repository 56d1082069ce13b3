//! What a call costs does not depend on how many moves have finished.

use crate::support::{Crm, Database, Session, touched_buffers};

/// Pages of an index that is a level deeper, and of those that a call writes: far fewer than a scan of a table.
const TOLERANCE: i64 = 60;
/// PL/pgSQL may change its plan after five executions.
const EXECUTIONS: usize = 7;

/// Adds finished moves of two lanes, each of a run of its own.
async fn add_finished_moves(database: &Database, moves: i32) {
    database
        .run(&format!(
            "with added as (
               insert into lead_mover.moves (
                 run_id, funnel_id, column_id, batch_size, status, open_lanes, started_at, finished_at
               )
               select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 100, 'completed', 0, now(), now()
               from generate_series(1, {moves})
               returning migration_id
             )
             insert into lead_mover.lanes (migration_id, lane, batch_size, total, moved, finished_at)
             select added.migration_id, lane, 100, 10, 10, now()
             from added, generate_series(1, 2) as lane"
        ))
        .await;
}

async fn database_without_autovacuum() -> Database {
    let database = Database::new().await;
    for table in [
        "lead_mover.moves",
        "lead_mover.lanes",
        "pgmq.q_lead_migration_queue",
    ] {
        let off = format!("alter table {table} set (autovacuum_enabled = off)");
        database.run(&off).await;
    }
    database
}

/// What each call touches in the life of a move: the least of several. The first have to plan, and the changes that
/// other tests make to the catalogs of the server may have a session read its own again at any time.
async fn touched_by_calls(session: &Session, crm: &Crm<'_>) -> Vec<(&'static str, i64)> {
    let mut touched: Vec<(&'static str, i64)> = Vec::new();
    for _ in 0..EXECUTIONS {
        let run = crm.run_of(12).await;
        let (funnel, column) = (crm.target.funnel, crm.target.column);
        let arguments = format!("'{run}', '{funnel}', '{column}', 5");
        let mut calls = Vec::new();
        for (function, arguments) in [
            ("queue_lead_migration", arguments),
            ("process_lead_migration_batch", String::new()),
            ("get_lead_migration_progress", format!("'{run}'")),
            ("pause_lead_migration", format!("'{run}'")),
            ("resume_lead_migration", format!("'{run}'")),
            ("cancel_lead_migration", format!("'{run}'")),
            ("retry_lead_migration", format!("'{run}'")),
            ("get_lead_migration_queue_status", String::new()),
        ] {
            let call = format!("select * from public.{function}({arguments})");
            calls.push((function, touched_buffers(session, &call).await));
        }
        if touched.is_empty() {
            touched = calls;
        } else {
            for (least, (_, buffers)) in touched.iter_mut().zip(calls) {
                least.1 = least.1.min(buffers);
            }
        }
    }
    touched
}

/// The same of functions that keep to the indexes whatever plans the session has.
async fn touched_by_lookups(session: &Session, crm: &Crm<'_>) -> Vec<(&'static str, i64)> {
    let run = crm.run_of(10).await;
    let queued = crm.enqueue(run).await;
    let migration_id = &queued["migration_id"];
    let mut touched = Vec::new();
    for _ in 0..EXECUTIONS {
        touched.clear();
        for (function, arguments) in [
            ("public.get_lead_migration_progress", format!("'{run}'")),
            ("lead_mover.lock_active_move", format!("'{run}'")),
            (
                "lead_mover.control_result",
                format!("'{run}', {migration_id}, '%s, %s'"),
            ),
            ("lead_mover.sample", String::new()),
        ] {
            let call = format!("select * from {function}({arguments})");
            touched.push((function, touched_buffers(session, &call).await));
        }
    }
    touched
}

/// The calls that touch more buffers than with few finished moves.
fn dearer(few: &[(&'static str, i64)], many: &[(&'static str, i64)]) -> Vec<String> {
    let pairs = few.iter().zip(many);
    pairs
        .filter(|((_, few), (_, many))| many - few > TOLERANCE)
        .map(|((call, few), (_, many))| format!("{call}: {few} buffers, then {many}"))
        .collect()
}

#[tokio::test]
async fn no_call_for_a_run_touches_more_buffers_after_many_finished_moves() {
    let database = database_without_autovacuum().await;
    let crm = database.crm().await;
    add_finished_moves(&database, 20).await;
    let few = touched_by_calls(&database.open().await, &crm).await;
    add_finished_moves(&database, 20_000).await;

    let without_statistics = touched_by_calls(&database.open().await, &crm).await;
    database.run("vacuum analyze").await;
    let with_statistics = touched_by_calls(&database.open().await, &crm).await;

    for many in [without_statistics, with_statistics] {
        assert_eq!(dearer(&few, &many), Vec::<String>::new());
    }
}

#[tokio::test]
async fn plans_and_statistics_of_few_finished_moves_do_not_slow_down_a_lookup_after_many() {
    let database = database_without_autovacuum().await;
    let crm = database.crm().await;
    add_finished_moves(&database, 20).await;
    database.run("vacuum analyze").await;
    // Its plans are made now, and kept.
    let session = database.open().await;
    let few = touched_by_lookups(&session, &crm).await;
    add_finished_moves(&database, 20_000).await;

    let many = touched_by_lookups(&session, &crm).await;

    assert_eq!(dearer(&few, &many), Vec::<String>::new());
}

#[tokio::test]
async fn the_progress_of_a_run_costs_as_much_as_that_run_has_moves() {
    let database = database_without_autovacuum().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let progress = format!("select * from public.get_lead_migration_progress('{run}')");
    add_finished_moves(&database, 20_000).await;
    let mut touched = Vec::new();
    for moves in [100, 900] {
        let of_the_run = format!(
            "update lead_mover.moves set run_id = '{run}'
             where migration_id in (select migration_id from lead_mover.moves where run_id <> '{run}' limit {moves})"
        );
        database.run(&of_the_run).await;
        database.run("vacuum analyze").await;
        touched_buffers(database.session(), &progress).await;
        touched.push(touched_buffers(database.session(), &progress).await);
    }

    let (hundred, thousand) = (touched[0], touched[1]);

    assert!(hundred < 1_000, "{touched:?}");
    assert!(thousand < 12 * hundred, "{touched:?}");
}
