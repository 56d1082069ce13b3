//! Takes batches until there is none, then waits to be woken.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::db::{self, ConnectionSettings};
use crate::error::{self, ErrorKind};
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Batch, Outcome, Queue, QueueError};
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::Ear;

/// Whoever was in the way has mostly ended; where not, it is not asked without pause.
const AFTER_A_CONFLICT: Duration = Duration::from_millis(20);

/// A batch that was processed, and when: for whoever watches from inside the process.
#[derive(Debug, Clone)]
pub struct BatchReport {
    /// What the database said of it.
    pub batch: Batch,
    /// When its commit was acknowledged.
    pub at: Instant,
}

/// One of several tasks that share the work.
pub(crate) struct Worker {
    pub(crate) settings: ConnectionSettings,
    /// What its session calls itself.
    pub(crate) name: String,
    pub(crate) ear: Ear,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) reports: broadcast::Sender<BatchReport>,
}

/// Why a session was given up.
enum End {
    Stopped,
    Lost(QueueError),
}

impl Worker {
    /// Works until stopping begins, through any number of lost connections.
    pub(crate) async fn run(mut self) {
        let mut connection = Reconnecting::new(ConnectionRole::Worker);
        loop {
            let connecting = Queue::connect(&self.settings, &self.name);
            let error = match self.shutdown.or_begun(connecting).await {
                None => return,
                Some(Err(error)) => error,
                Some(Ok(queue)) => match self.work(&queue, &mut connection).await {
                    End::Stopped => return,
                    End::Lost(error) => error,
                },
            };
            self.health.database_lost(&error);
            // Not the ear: a storm of notifications would undo the backoff.
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn work(&mut self, queue: &Queue, connection: &mut Reconnecting) -> End {
        loop {
            self.ear.clear();
            let next_due = match self.drain(queue, connection).await {
                Ok(next_due) => next_due,
                Err(end) => return end,
            };
            match self
                .shutdown
                .clone()
                .or_begun(self.ear.wait(next_due))
                .await
            {
                Some(reason) => metrics::wakeup(reason),
                None => return End::Stopped,
            }
        }
    }

    /// Batch after batch until nothing is due. Answers with when something will be.
    async fn drain(
        &self,
        queue: &Queue,
        connection: &mut Reconnecting,
    ) -> Result<Option<Duration>, End> {
        loop {
            if self.shutdown.has_begun() {
                return Err(End::Stopped);
            }
            let started = Instant::now();
            let batch = match self.batch(queue).await {
                Ok(batch) => batch,
                // The database has answered; it is not lost.
                Err(End::Lost(error)) if error::is_conflict(&error) => {
                    metrics::error(ErrorKind::of(&error));
                    tracing::debug!(
                        error = db::describe(&error),
                        "batch in conflict with another"
                    );
                    if !self.shutdown.sleep(AFTER_A_CONFLICT).await {
                        return Err(End::Stopped);
                    }
                    continue;
                }
                Err(end) => return Err(end),
            };
            self.health.database_reached();
            connection.works();
            if batch.outcome == Outcome::Idle {
                return Ok(batch.next_due);
            }
            self.report(batch, started);
        }
    }

    /// One batch. When stopping is forced it is cancelled, and waited for all the same: only its answer
    /// says whether it was rolled back, or had committed by then.
    async fn batch(&self, queue: &Queue) -> Result<Batch, End> {
        let processing = queue.process_batch();
        tokio::pin!(processing);
        tokio::select! {
            batch = &mut processing => return batch.map_err(End::Lost),
            () = self.shutdown.forced() => {}
        }
        if let Err(error) = queue.cancel_statement().await {
            tracing::debug!(error = db::describe(&error), "cancel request failed");
        }
        processing.await.map_err(|_| End::Stopped)
    }

    fn report(&self, batch: Batch, started: Instant) {
        let at = Instant::now();
        metrics::batch(&batch, at - started);
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
        // Nobody need be listening.
        let _listeners = self.reports.send(BatchReport { batch, at });
    }
}
