//! Says what became of a batch: to the metrics, to the log, and to whoever watches inside the process.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::metrics;
use crate::queue::{Batch, Outcome};

/// How many reports a slow watcher may be behind before it misses some.
const REPORTS_KEPT: usize = 1024;

/// A batch that was processed, and when: for whoever watches from inside the process.
#[derive(Debug, Clone)]
pub struct BatchReport {
    /// What the database said of it.
    pub batch: Batch,
    /// When its commit was acknowledged.
    pub at: Instant,
}

/// Where those who process batches report to; clones report to the same place.
#[derive(Debug, Clone)]
pub(crate) struct Reporter(broadcast::Sender<BatchReport>);

impl Reporter {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(REPORTS_KEPT))
    }

    /// Each batch from here on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<BatchReport> {
        self.0.subscribe()
    }

    /// A batch has just been answered for, after that time.
    pub(crate) fn batch(&self, batch: Batch, duration: Duration) {
        metrics::batch(&batch, duration);
        log(&batch);
        // Nobody need be listening.
        let _listeners = self.0.send(BatchReport {
            batch,
            at: Instant::now(),
        });
    }
}

fn log(batch: &Batch) {
    let message_id = batch.message_id;
    let run_id = batch.run_id.map(tracing::field::display);
    let text = batch.text.as_deref();
    match batch.outcome {
        Outcome::Idle => {}
        Outcome::Moved if batch.leads_remaining == 0 => {
            tracing::info!(message_id, run_id, text, "last batch");
        }
        Outcome::Moved => tracing::debug!(message_id, run_id, text, "batch"),
        Outcome::Failed => tracing::warn!(message_id, run_id, text, "batch failed"),
        Outcome::Ended => tracing::error!(message_id, run_id, text, "move failed"),
        Outcome::Refused => tracing::warn!(message_id, text, "message refused"),
    }
}
