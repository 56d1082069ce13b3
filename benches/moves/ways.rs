//! The ways to move a run: the lead mover, and those that it replaces.

use std::time::{Duration, Instant};
use std::{fmt, iter};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use crate::figures::Figures;
use crate::finished::move_run;
use crate::fixture::{COLUMN, FUNNEL, Fixture, RUN};

/// The calls that a connection has in flight, as a worker has with a database on the same machine.
const IN_FLIGHT: usize = 3;

/// One way to move all leads of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// One `UPDATE` of the whole run, with every row locked until its end.
    Direct,
    /// The Edge Function's SQL: in each batch the first 100 leads that are not at the target, and a count of the
    /// rest. It is quadratic, so only the first round has it.
    OldLoop,
    /// The lower bound for batches of that size: an `UPDATE` and a commit for each, by its first and last key,
    /// which are known before. No queue, no progress, and it cannot be continued.
    Bare { batch_size: i32, connections: usize },
    /// The service, with so many workers.
    LeadMover { batch_size: i32, workers: usize },
}

pub(crate) const fn lead_mover(batch_size: i32, workers: usize) -> Way {
    Way::LeadMover {
        batch_size,
        workers,
    }
}

const fn bare(batch_size: i32, connections: usize) -> Way {
    Way::Bare {
        batch_size,
        connections,
    }
}

const WAYS: [Way; 11] = [
    Way::Direct,
    Way::OldLoop,
    bare(100, 1),
    bare(100, 2),
    bare(1000, 2),
    lead_mover(100, 1),
    lead_mover(100, 2),
    lead_mover(100, 4),
    lead_mover(1000, 1),
    lead_mover(1000, 2),
    lead_mover(1000, 4),
];

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let mut timed: Vec<(Way, Vec<Duration>)> = WAYS.map(|way| (way, Vec::new())).into();
    for round in 1..=rounds {
        for (way, times) in &mut timed {
            if *way == Way::OldLoop && round > 1 {
                continue;
            }
            eprintln!("  round {round}: {way}");
            fixture.import(&[(RUN, leads)]).await;
            times.push(way.time(fixture).await);
            fixture.check_all_at_target(leads).await;
        }
    }

    let mut figures = Figures::on(format!(
        "{leads} leads of one run; ratios to the direct UPDATE of the same round"
    ));
    let direct = &timed[0].1;
    for (way, times) in &timed {
        figures.note_seconds(way.to_string(), times);
        let pairs = times.iter().zip(direct);
        figures.note(
            "  its ratio to the direct UPDATE",
            "",
            pairs.map(|(way, direct)| way.as_secs_f64() / direct.as_secs_f64()),
        );
    }
    figures
}

impl Way {
    pub(crate) async fn time(self, fixture: &Fixture) -> Duration {
        match self {
            Self::Direct => direct(fixture).await,
            Self::OldLoop => old_loop(fixture).await,
            Self::Bare {
                batch_size,
                connections,
            } => bare_batches(fixture, batch_size, connections).await,
            Self::LeadMover {
                batch_size,
                workers,
            } => move_run(fixture, RUN, batch_size, workers).await,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("one direct UPDATE"),
            Self::OldLoop => f.write_str("the old design's loop (first round only)"),
            Self::Bare {
                batch_size,
                connections,
            } => write!(
                f,
                "bare UPDATEs of {batch_size}, {connections} connection(s)"
            ),
            Self::LeadMover {
                batch_size,
                workers,
            } => write!(
                f,
                "lead mover, batches of {batch_size}, {workers} worker(s)"
            ),
        }
    }
}

async fn direct(fixture: &Fixture) -> Duration {
    let started = Instant::now();
    fixture
        .client()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2 where run_id = $3",
            &[&FUNNEL, &COLUMN, &RUN],
        )
        .await
        .expect("it is updated");
    started.elapsed()
}

async fn old_loop(fixture: &Fixture) -> Duration {
    let started = Instant::now();
    loop {
        let moved = fixture
            .client()
            .execute(
                "update public.leads set funnel_id = $1, column_id = $2
                 where id in (
                   select id from public.leads
                   where run_id = $3 and (funnel_id <> $1 or column_id <> $2)
                   limit 100
                 )",
                &[&FUNNEL, &COLUMN, &RUN],
            )
            .await
            .expect("it is updated");
        let remaining: i64 = fixture
            .client()
            .query_one(
                "select count(*) from public.leads
                 where run_id = $3 and (funnel_id <> $1 or column_id <> $2)",
                &[&FUNNEL, &COLUMN, &RUN],
            )
            .await
            .expect("it is counted")
            .get(0);
        if moved == 0 || remaining == 0 {
            return started.elapsed();
        }
    }
}

async fn bare_batches(fixture: &Fixture, batch_size: i32, connections: usize) -> Duration {
    let ends: Vec<Uuid> = fixture
        .client()
        .query_one(
            "select array_agg(id order by id)
             from (
               select id, row_number() over (order by id) as n, count(*) over () as total
               from public.leads
               where run_id = $1
             ) numbered
             where n % $2 = 0 or n = total",
            &[&RUN, &i64::from(batch_size)],
        )
        .await
        .expect("it is counted")
        .get(0);
    // The first batch begins at the lowest key.
    let begins = iter::once(Uuid::nil()).chain(ends.iter().copied());
    let batches: Vec<(Uuid, Uuid)> = begins.zip(ends.iter().copied()).collect();
    let clients = join_all((0..connections).map(|_| fixture.open())).await;
    let statements = join_all(clients.iter().map(bare_update)).await;

    let started = Instant::now();
    let shares = batches.chunks(batches.len().div_ceil(connections));
    join_all(clients.iter().zip(&statements).zip(shares).map(
        async |((client, statement), share)| {
            stream::iter(share)
                .map(async |(begin, end)| {
                    client
                        .execute(statement, &[&FUNNEL, &COLUMN, &RUN, begin, end])
                        .await
                })
                .buffered(IN_FLIGHT)
                .for_each(async |updated| {
                    updated.expect("it is updated");
                })
                .await;
        },
    ))
    .await;
    started.elapsed()
}

/// Planned once, as a scan of the run's index.
async fn bare_update(client: &Client) -> Statement {
    client
        .batch_execute(
            "set enable_seqscan = off; set enable_bitmapscan = off; set plan_cache_mode = force_generic_plan",
        )
        .await
        .expect("it is set");
    client
        .prepare(
            "update public.leads set funnel_id = $1, column_id = $2
             where run_id = $3 and run_id between $3 and $3 and id > $4 and id <= $5",
        )
        .await
        .expect("it is prepared")
}
