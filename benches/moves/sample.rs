//! The cost of the gauges: the statement that reads queue and ledger, after many moves.

use std::time::{Duration, Instant};

use crate::figures::Figures;
use crate::fixture::Fixture;

/// Moves in the ledger, each of 16 lanes.
const MOVES: i32 = 10_000;
/// The active moves among them, with a message a lane: as on a busy day, and many more.
const ACTIVE: [i32; 2] = [20, 1_000];
/// Messages that PGMQ has archived.
const ARCHIVED: i32 = 1_000_000;
/// Samples a round; a service takes at most one every 15 s.
const SAMPLES: u16 = 200;

pub(crate) async fn measure(fixture: &Fixture, rounds: u16) -> Figures {
    let mut figures = Figures::on(format!(
        "lead_mover.sample() with {MOVES} moves of 16 lanes in the ledger and {ARCHIVED} archived messages"
    ));
    for active in ACTIVE {
        fill(fixture, active).await;
        for (maintenance, how) in [(None, "without statistics"), (Some(MAINTAIN), "vacuumed")] {
            if let Some(maintenance) = maintenance {
                fixture.execute(maintenance).await;
            }
            eprintln!("  {active} active moves, {how}");
            let (mut first, mut later) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let times = sample(fixture).await;
                first.push(times[0]);
                later.extend_from_slice(&times[1..]);
            }
            figures.note_millis(
                format!("{active} active moves, {how}, a session's first"),
                &first,
            );
            figures.note_millis(format!("{active} active moves, {how}"), &later);
        }
    }
    figures
}

/// What autovacuum does within about a minute.
const MAINTAIN: &str = "vacuum analyze lead_mover.moves, lead_mover.lanes,
    pgmq.q_lead_migration_queue, pgmq.a_lead_migration_queue";

/// The newest moves are the active ones.
async fn fill(fixture: &Fixture, active: i32) {
    eprintln!("  {MOVES} moves and {ARCHIVED} archived messages are inserted");
    fixture.import(&[]).await;
    fixture.execute(&format!(
        "insert into lead_mover.moves (
           run_id, run_name, funnel_id, column_id, batch_size, status, open_lanes, queued_at, started_at, finished_at
         )
         select
           md5('run ' || n)::uuid,
           'Restaurantes - 10/12/2025 09:07',
           md5('funnel')::uuid,
           md5('column')::uuid,
           100,
           case
             when n > {MOVES} - {active} then 'processing'
             else ('{{completed,completed_with_errors,cancelled,failed}}'::text[])[n % 4 + 1]
           end,
           case when n > {MOVES} - {active} then 16 else 0 end,
           now() - n * interval '1 minute',
           now() - n * interval '1 minute',
           case when n <= {MOVES} - {active} then now() end
         from generate_series(1, {MOVES}) as n;

         insert into lead_mover.lanes (migration_id, lane, batch_size, total, moved, finished_at)
         select m.migration_id, lane, 100, 500, case when m.finished_at is null then 100 else 500 end, m.finished_at
         from lead_mover.moves m, generate_series(1, 16) as lane;

         with sent as (
           insert into pgmq.q_lead_migration_queue (vt, message)
           select clock_timestamp(), lead_mover.message(m, l.lane, 100, 400, 500, now())
           from lead_mover.moves m
           join lead_mover.lanes l using (migration_id)
           where m.finished_at is null
           returning msg_id, (message ->> 'migration_id')::bigint as migration_id, (message ->> 'lane')::integer as lane
         )
         update lead_mover.lanes l
         set message_id = sent.msg_id
         from sent
         where (l.migration_id, l.lane) = (sent.migration_id, sent.lane);

         insert into pgmq.a_lead_migration_queue (msg_id, vt, message)
         select -n, now(), jsonb_build_object(
           'run_id', md5('run ' || n), 'run_name', 'Restaurantes - 10/12/2025 09:07', 'funnel_id', md5('funnel'),
           'column_id', md5('column'), 'batch_size', 100, 'status', 'processing', 'lead_mover_error', 'LM001'
         )
         from generate_series(1, {ARCHIVED}) as n"
    ))
    .await;
    fixture.execute("checkpoint").await;
}

/// Runs the statement of the service's sampler in a session of its own.
async fn sample(fixture: &Fixture) -> Vec<Duration> {
    let session = fixture.open().await;
    let mut times = Vec::new();
    for _ in 0..=SAMPLES {
        let asked = Instant::now();
        session
            .query_typed("select * from lead_mover.sample()", &[])
            .await
            .expect("it is sampled");
        times.push(asked.elapsed());
    }
    times
}
