//! Whether what is asked again and again costs the same however many moves have finished: the progress of one run,
//! and the gauges.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::figures::{Figures, median_of};
use crate::fixture::Fixture;

/// Finished moves in the ledger, each of a run of its own.
const FINISHED: [i32; 4] = [100, 10_000, 100_000, 1_000_000];
/// Lanes of each.
const LANES: i32 = 2;
/// The median of each statement may take so long with [`LIMIT_AT`] finished moves.
const LIMIT: Duration = Duration::from_millis(5);
const LIMIT_AT: i32 = 100_000;
/// Executions a round and session, after the first.
const TIMES: u16 = 200;

const STATEMENTS: [(&str, &str); 2] = [
    (
        "progress of a run",
        "select * from public.get_lead_migration_progress(md5('run 50')::uuid)",
    ),
    ("sample()", "select * from lead_mover.sample()"),
];

pub(crate) async fn measure(fixture: &Fixture, rounds: u16) -> Figures {
    let mut figures = Figures::on(format!(
        "finished moves of {LANES} lanes; at most {LIMIT:?} with {LIMIT_AT}"
    ));
    fixture.import(&[]).await;
    let mut there = 0;
    for finished in FINISHED {
        eprintln!("  {finished} finished moves are inserted");
        add(fixture, there + 1, finished).await;
        there = finished;
        for (what, statement) in STATEMENTS {
            let (mut first, mut later) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let times = time(&fixture.open().await, statement).await;
                first.push(times[0]);
                later.extend_from_slice(&times[1..]);
            }
            figures.note_millis(format!("{what}, {finished}, a session's first"), &first);
            figures.note_millis(format!("{what}, {finished}"), &later);
            if finished == LIMIT_AT {
                figures.note(
                    "  of the limit",
                    "",
                    [median_of(&later) / LIMIT.as_secs_f64()],
                );
            }
        }
    }
    figures
}

/// Inserts finished moves up to that number, and then does what autovacuum does within about a minute.
async fn add(fixture: &Fixture, from: i32, to: i32) {
    fixture
        .execute(&format!(
            "with added as (
               insert into lead_mover.moves (
                 run_id, run_name, funnel_id, column_id, batch_size, status, open_lanes, started_at, finished_at
               )
               select
                 md5('run ' || n)::uuid, 'Restaurantes - 10/12/2025 09:07', md5('funnel')::uuid, md5('column')::uuid,
                 100, ('{{completed,completed_with_errors,cancelled,failed}}'::text[])[n % 4 + 1], 0, now(), now()
               from generate_series({from}, {to}) as n
               returning migration_id
             )
             insert into lead_mover.lanes (migration_id, lane, batch_size, total, moved, finished_at)
             select added.migration_id, lane, 100, 500, 500, now()
             from added, generate_series(1, {LANES}) as lane"
        ))
        .await;
    fixture
        .execute("vacuum analyze lead_mover.moves, lead_mover.lanes")
        .await;
    fixture.execute("checkpoint").await;
}

async fn time(session: &Client, statement: &str) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..=TIMES {
        let asked = Instant::now();
        session
            .query_typed(statement, &[])
            .await
            .expect("it answers");
        times.push(asked.elapsed());
    }
    times
}
