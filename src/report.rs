//! Reports what became of a batch, or of a call that failed: to the metrics, to the log, and to subscribers
//! inside the process.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::error::ErrorKind;
use crate::metrics;
use crate::queue::{Batch, Outcome};

/// How many reports a slow subscriber may be behind before it misses some.
const REPORTS_KEPT: usize = 1024;

/// A batch that was processed, and when.
#[derive(Debug, Clone)]
pub struct BatchReport {
    /// What the database returned for it.
    pub batch: Batch,
    /// When its commit was acknowledged.
    pub at: Instant,
}

/// Where those who process batches report to; clones report to the same subscribers.
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

    /// Reports a batch whose result has just come in, after that time.
    pub(crate) fn batch(&self, batch: Batch, duration: Duration) {
        metrics::batch(&batch, duration);
        log(&batch);
        // There need not be a subscriber.
        let _subscribers = self.0.send(BatchReport {
            batch,
            at: Instant::now(),
        });
    }
}

/// Counts a call to the database that failed as a whole, and returns the kind of its error. Every task calls
/// it once for each failure; nothing else counts them.
pub(crate) fn database_error(error: &(dyn std::error::Error + 'static)) -> ErrorKind {
    let kind = ErrorKind::of(error);
    metrics::error(kind);
    kind
}

fn log(batch: &Batch) {
    let message_id = batch.message_id;
    let run_id = batch.run_id.as_ref().map(tracing::field::display);
    let text = batch.message.as_deref();
    match batch.outcome {
        Outcome::Idle => {}
        Outcome::Moved if batch.leads_remaining == 0 => {
            tracing::info!(message_id, run_id, text, "last batch");
        }
        Outcome::Moved => tracing::debug!(message_id, run_id, text, "batch"),
        Outcome::Failed => tracing::warn!(message_id, run_id, text, "batch failed"),
        Outcome::MoveFailed => tracing::error!(message_id, run_id, text, "move failed"),
        Outcome::MessageArchived => tracing::warn!(message_id, text, "message archived"),
    }
}
