//! Moves the run as the service does it, with so many connections.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lead_mover::queue::{Outcome, Queue};

use crate::bed::{Bed, COLUMN, FUNNEL, RUN};

/// What a move took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timed {
    /// From the start, for the lead mover from the commit of the enqueue.
    pub(crate) total: Duration,
    /// Each batch, from asking to its commit.
    pub(crate) batches: Vec<Duration>,
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
