//! The ways of moving a run.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lead_mover::queue::{Outcome, Queue};

use crate::bed::{Bed, COLUMN, FUNNEL, RUN};

/// One way of moving all leads of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// One `UPDATE` of the whole run, with every row locked until its end.
    Direct,
    /// As the Edge Function's SQL did it: the first 100 that are not at the target yet, and a count of
    /// the rest, at each batch.
    OldLoop,
    /// The lead mover, with so many connections.
    LeadMover { batch_size: i32, workers: usize },
}

/// What a way took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timed {
    /// From the start, for the lead mover from the commit of the enqueue.
    pub(crate) total: Duration,
    /// The enqueue itself.
    pub(crate) enqueue: Duration,
    /// Each batch, from asking to its commit.
    pub(crate) batches: Vec<Duration>,
}

impl Way {
    pub(crate) const ALL: [Self; 8] = [
        Self::Direct,
        Self::OldLoop,
        Self::LeadMover {
            batch_size: 100,
            workers: 1,
        },
        Self::LeadMover {
            batch_size: 100,
            workers: 2,
        },
        Self::LeadMover {
            batch_size: 100,
            workers: 4,
        },
        Self::LeadMover {
            batch_size: 1000,
            workers: 1,
        },
        Self::LeadMover {
            batch_size: 1000,
            workers: 2,
        },
        Self::LeadMover {
            batch_size: 1000,
            workers: 4,
        },
    ];

    pub(crate) async fn time(self, bed: &Bed) -> Timed {
        match self {
            Self::Direct => direct(bed).await,
            Self::OldLoop => old_loop(bed).await,
            Self::LeadMover {
                batch_size,
                workers,
            } => lead_mover(bed, batch_size, workers).await,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.pad("one direct UPDATE"),
            Self::OldLoop => f.pad("the old design's loop"),
            Self::LeadMover {
                batch_size,
                workers,
            } => f.pad(&format!(
                "lead mover, batches of {batch_size}, {workers} worker(s)"
            )),
        }
    }
}

async fn direct(bed: &Bed) -> Timed {
    let started = Instant::now();
    bed.client()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2 where run_id = $3",
            &[&FUNNEL, &COLUMN, &RUN],
        )
        .await
        .expect("it is updated");
    Timed {
        total: started.elapsed(),
        ..Timed::default()
    }
}

async fn old_loop(bed: &Bed) -> Timed {
    let started = Instant::now();
    loop {
        let moved = bed
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
        let remaining: i64 = bed
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
            return Timed {
                total: started.elapsed(),
                ..Timed::default()
            };
        }
    }
}

async fn lead_mover(bed: &Bed, batch_size: i32, workers: usize) -> Timed {
    let queues = join_all((0..workers).map(|_| bed.queue())).await;
    let enqueueing = Instant::now();
    queues[0]
        .enqueue(RUN, FUNNEL, COLUMN, Some(batch_size))
        .await
        .expect("it is queued");
    let started = Instant::now();
    let batches = join_all(queues.iter().map(drain)).await.concat();
    Timed {
        total: started.elapsed(),
        enqueue: started - enqueueing,
        batches,
    }
}

/// Batch after batch until none is due, as a worker does it.
async fn drain(queue: &Queue) -> Vec<Duration> {
    let mut batches = Vec::new();
    loop {
        let started = Instant::now();
        let batch = queue.process_batch(None).await.expect("it is processed");
        match batch.outcome {
            Outcome::Idle => return batches,
            Outcome::Moved => batches.push(started.elapsed()),
            other => panic!("{other:?}: {:?}", batch.text),
        }
    }
}
