//! The moves by status as a sample has them, and as they are.

use serde_json::Value;

use super::Session;
use super::database::value;

/// Fails where a sample in that session has other numbers than the table `moves` has. The stable function reads
/// the same snapshot as the statement that it is in. Then takes a whole sample, which folds the counts.
pub(crate) async fn assert_moves_are_counted(session: &Session) {
    let query = "select jsonb_build_array(
           (select s.status_counts from lead_mover.read_sample() s),
           (
             select coalesce(jsonb_object_agg(m.status, m.moves), '{}')
             from (select status, count(*) as moves from lead_mover.moves group by status) m
           )
         )";
    let answer: Value = value(session, query, &[]).await;
    assert_eq!(answer[0], answer[1], "a sample's counts, and those counted");
    session
        .batch_execute("select lead_mover.sample()")
        .await
        .expect("a sample never waits");
}

/// Adds moves of one lane, each of a run of its own.
pub(crate) async fn add_moves(session: &Session, status: &str, moves: i32) {
    let (open_lanes, finished_at) = match status {
        "pending" | "processing" | "paused" => (1, "null"),
        _ => (0, "now()"),
    };
    let insert = format!(
        "with added as (
           insert into lead_mover.moves (
             run_id, funnel_id, column_id, batch_size, status, open_lanes, started_at, finished_at
           )
           select
             gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 100, '{status}', {open_lanes}, now(),
             {finished_at}
           from generate_series(1, {moves})
           returning migration_id
         )
         insert into lead_mover.lanes (migration_id, lane, batch_size, total, finished_at)
         select added.migration_id, 1, 100, 10, {finished_at}
         from added"
    );
    session
        .batch_execute(&insert)
        .await
        .expect("they are added");
}
