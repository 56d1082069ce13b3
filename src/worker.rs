//! Processes batches until nothing is due, then waits to be woken.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::error::{self, ErrorKind};
use crate::health::{DatabaseState, HealthReporter};
use crate::lost_batch::LostBatches;
use crate::metrics::{self, ConnectionRole};
use crate::pipeline::{Pipeline, PipelineError};
use crate::queue::{Batch, Outcome, Queue, QueueError};
use crate::report::{self, Reporter};
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::timings::Timings;
use crate::wake::WakeReceiver;
use pg_connection::ConnectionSettings;

/// About what a batch of a hundred leads takes.
const SHORT_BATCH: Duration = Duration::from_millis(3);
/// The batch that the server is at, one that it finds when that is done, and one more because this process may
/// have to wait for a processor to send it.
const LEAST_IN_FLIGHT: usize = 3;
/// The most batches in flight on one session. When stopping begins they are finished, so not too many.
const MOST_IN_FLIGHT: usize = 16;
/// By then the transaction that was in the way has mostly ended.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// One of several tasks that share the work.
pub(crate) struct Worker {
    pub(crate) settings: ConnectionSettings,
    /// The `application_name` of its session.
    pub(crate) name: String,
    pub(crate) wake_receiver: WakeReceiver,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) reporter: Reporter,
    pub(crate) timings: Timings,
}

impl Worker {
    /// Works until stopping begins, through any number of lost connections.
    pub(crate) async fn run(mut self) {
        let mut connection = Reconnecting::new(ConnectionRole::Worker, self.timings.reconnect);
        let mut lost = LostBatches::default();
        loop {
            let connecting = Queue::connect_worker(&self.settings, &self.name);
            let error = match self.shutdown.or_begun(connecting).await {
                None => return,
                Some(Err(error)) => error,
                Some(Ok(queue)) => match self.work(&queue, &mut connection, &mut lost).await {
                    PipelineError::Stopped => return,
                    PipelineError::ConnectionLost(error) => error,
                },
            };
            self.health
                .database_lost(&self.name, state_after(&error), &error);
            // It does not wait for a wake: many notifications in a row would undo the backoff.
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn work(
        &mut self,
        queue: &Queue,
        connection: &mut Reconnecting,
        lost: &mut LostBatches,
    ) -> PipelineError {
        let most_in_flight = match self.shutdown.or_begun(self.round_trip(queue)).await {
            None => return PipelineError::Stopped,
            Some(Ok(round_trip)) => most_in_flight(round_trip),
            Some(Err(error)) => return PipelineError::ConnectionLost(error),
        };
        loop {
            self.wake_receiver.clear();
            let next_due = match self.drain(queue, most_in_flight, connection, lost).await {
                Ok(next_due) => next_due,
                Err(end) => return end,
            };
            match self
                .shutdown
                .clone()
                .or_begun(self.wake_receiver.wait(next_due))
                .await
            {
                Some(reason) => metrics::wakeup(reason),
                None => return PipelineError::Stopped,
            }
        }
    }

    /// Batch after batch until nothing is due. Returns how long it is until something will be.
    async fn drain(
        &self,
        queue: &Queue,
        most_in_flight: usize,
        connection: &mut Reconnecting,
        lost: &mut LostBatches,
    ) -> Result<Option<Duration>, PipelineError> {
        let mut pipeline = Pipeline::new(queue, &self.shutdown, self.timings.response);
        // One, until there turns out to be more to do than one batch; then as many as there is work for.
        let mut wanted = 1;
        let mut idle = None;
        let mut has_failed = false;
        loop {
            if pipeline.len() == 0 {
                let prepared = async {
                    if std::mem::take(&mut has_failed) {
                        queue.reset().await?;
                    }
                    lost.settle(queue).await
                };
                timeout(self.timings.response, prepared)
                    .await
                    .map_err(|_| PipelineError::ConnectionLost(QueueError::NoResponse))?
                    .map_err(PipelineError::ConnectionLost)?;
            }
            let at_once = if lost.asks() { 1 } else { wanted };
            while idle.is_none()
                && !has_failed
                && pipeline.len() < at_once
                && !self.shutdown.has_begun()
            {
                pipeline.push(None);
            }
            let (batch, duration) = match pipeline.next_result().await {
                Ok(Some(result)) => result,
                Ok(None) => return idle.ok_or(PipelineError::Stopped),
                // The database has answered, so the connection is not lost.
                Err(PipelineError::ConnectionLost(error)) if keeps_its_session(&error) => {
                    report::database_error(&error);
                    lost.lost(&error);
                    tracing::debug!(
                        error = pg_connection::describe(&error),
                        "the batch was undone"
                    );
                    idle = None;
                    // When stopping begins, what is in flight is waited for all the same.
                    let _on = self.shutdown.sleep(RETRY_DELAY).await;
                    continue;
                }
                Err(end) => {
                    if let PipelineError::ConnectionLost(error) = &end {
                        lost.lost(error);
                    }
                    return Err(end);
                }
            };
            lost.answered();
            self.health.database_reached(&self.name);
            connection.connected();
            if batch.outcome == Outcome::Idle {
                idle = Some(batch.next_due);
            } else {
                idle = None;
                has_failed |= batch.outcome == Outcome::Failed;
                wanted = batches_left(&batch).max(wanted * 2).min(most_in_flight);
                self.reporter.batch(batch, duration);
            }
        }
    }

    /// How long the database takes for an empty statement.
    async fn round_trip(&self, queue: &Queue) -> Result<Duration, QueueError> {
        let sent = Instant::now();
        timeout(self.timings.ping, queue.ping())
            .await
            .map_err(|_| QueueError::NoResponse)??;
        Ok(sent.elapsed())
    }
}

/// Whether the database is lost after that error, or answers with it.
fn state_after(error: &QueueError) -> DatabaseState {
    if matches!(error, QueueError::Connect(_)) || ErrorKind::of(error) == ErrorKind::Connection {
        DatabaseState::Lost
    } else {
        DatabaseState::Failing
    }
}

/// Whether the session is as good as before after that error.
fn keeps_its_session(error: &QueueError) -> bool {
    error::is_retryable(error)
        || matches!(error, QueueError::CommitBatch(_, cause) if !cause.is_closed())
}

/// How many batches like this one its move still needs, all lanes together.
fn batches_left(batch: &Batch) -> usize {
    let left = batch.leads_remaining.checked_div(batch.leads_moved.into());
    left.and_then(|left| usize::try_from(left).ok())
        .unwrap_or_default()
}

/// How many batches to have in flight: so many that the server has the next one at hand when it is done with
/// one, and another for each batch that would fit into a round trip, so that a database far away is kept as
/// busy as a near one.
fn most_in_flight(round_trip: Duration) -> usize {
    let batches = round_trip.as_millis() / SHORT_BATCH.as_millis();
    usize::try_from(batches)
        .unwrap_or(usize::MAX)
        .saturating_add(LEAST_IN_FLIGHT)
        .min(MOST_IN_FLIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farther_the_database_the_more_batches_are_in_flight() {
        for (round_trip_ms, expected) in [(0, 3), (1, 3), (3, 4), (20, 9), (50, 16), (5_000, 16)] {
            let batches = most_in_flight(Duration::from_millis(round_trip_ms));
            assert_eq!(batches, expected, "{round_trip_ms} ms");
        }
    }
}
