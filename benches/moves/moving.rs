//! Moves the run as the service does it, with so many connections.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;
use lead_mover::queue::{Outcome, Queue};

use crate::bed::{Bed, COLUMN, FUNNEL, RUN};

/// As many as a worker has with the database next door.
pub(crate) const IN_FLIGHT: usize = 3;

/// What a move took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timed {
    /// From the start, for the lead mover from the commit of the enqueue.
    pub(crate) total: Duration,
    /// Each batch, from asking to its commit.
    pub(crate) batches: Vec<Duration>,
}

impl Timed {
    /// All in one, or in batches that nobody has timed.
    pub(crate) fn since(started: Instant) -> Self {
        Self {
            total: started.elapsed(),
            ..Self::default()
        }
    }
}

/// Queues the run, and moves all of it.
pub(crate) async fn move_run(bed: &Bed, batch_size: i32, workers: usize) -> Timed {
    let queues = join_all((0..workers).map(|_| bed.queue())).await;
    queues[0]
        .enqueue(RUN, FUNNEL, COLUMN, Some(batch_size))
        .await
        .expect("it is queued");
    let started = Instant::now();
    let batches = join_all(queues.iter().map(drain)).await.concat();
    Timed {
        total: started.elapsed(),
        batches,
    }
}

/// Batch after batch until none is due, as a worker does it: with the next calls in flight already.
async fn drain(queue: &Queue) -> Vec<Duration> {
    let mut batches = Vec::new();
    let mut calls: FuturesOrdered<_> = (0..IN_FLIGHT).map(|_| queue.process_batch(None)).collect();
    let mut begun = Instant::now();
    while let Some(answer) = calls.next().await {
        let batch = answer.expect("it is processed");
        let duration = begun.elapsed();
        begun = Instant::now();
        match batch.outcome {
            Outcome::Idle => {}
            Outcome::Moved => {
                batches.push(duration);
                calls.push_back(queue.process_batch(None));
            }
            other => panic!("{other:?}: {:?}", batch.message),
        }
    }
    batches
}
