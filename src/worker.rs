//! Takes batches until there is none, then waits to be woken.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::batch::{Calls, Unanswered};
use crate::db::{self, ConnectionSettings};
use crate::error::{self, ErrorKind};
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Batch, Outcome, Queue, QueueError};
use crate::report::Reporter;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::Ear;

/// How long a new session may take to say anything: a server, or a pooler, that takes connections and
/// answers nothing looks open for ever.
const PING_DEADLINE: Duration = Duration::from_secs(10);
/// What a batch of a hundred leads takes about.
const QUICK_BATCH: Duration = Duration::from_millis(3);
/// The one that the server is at, one that it finds when it is done, and one more because this process may
/// have to wait for a processor to send it.
const IN_FLIGHT_NEXT_DOOR: usize = 3;
/// The most calls in flight on one session. When stopping begins they are finished, so not too many.
const MOST_IN_FLIGHT: usize = 16;
/// Whoever was in the way has mostly ended; where not, it is not asked without pause.
const AFTER_A_CONFLICT: Duration = Duration::from_millis(20);

/// One of several tasks that share the work.
pub(crate) struct Worker {
    pub(crate) settings: ConnectionSettings,
    /// What its session calls itself.
    pub(crate) name: String,
    pub(crate) ear: Ear,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) reporter: Reporter,
}

impl Worker {
    /// Works until stopping begins, through any number of lost connections.
    pub(crate) async fn run(mut self) {
        let mut connection = Reconnecting::new(ConnectionRole::Worker);
        loop {
            let connecting = Queue::connect_to_work(&self.settings, &self.name);
            let error = match self.shutdown.or_begun(connecting).await {
                None => return,
                Some(Err(error)) => error,
                Some(Ok(queue)) => match self.work(&queue, &mut connection).await {
                    Unanswered::Stopped => return,
                    Unanswered::Lost(error) => error,
                },
            };
            self.health.database_lost(&self.name, &error);
            // Not the ear: a storm of notifications would undo the backoff.
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn work(&mut self, queue: &Queue, connection: &mut Reconnecting) -> Unanswered {
        let most_in_flight = match self.shutdown.or_begun(round_trip(queue)).await {
            None => return Unanswered::Stopped,
            Some(Ok(round_trip)) => most_in_flight(round_trip),
            Some(Err(error)) => return Unanswered::Lost(error),
        };
        loop {
            self.ear.clear();
            let next_due = match self.drain(queue, most_in_flight, connection).await {
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
                None => return Unanswered::Stopped,
            }
        }
    }

    /// Batch after batch until nothing is due. Answers with when something will be.
    async fn drain(
        &self,
        queue: &Queue,
        most_in_flight: usize,
        connection: &mut Reconnecting,
    ) -> Result<Option<Duration>, Unanswered> {
        let mut calls = Calls::new(queue, &self.shutdown);
        // One, until there turns out to be more to do than one batch; then as many as there is work for.
        let mut wanted = 1;
        let mut idle = None;
        loop {
            while idle.is_none() && calls.len() < wanted && !self.shutdown.has_begun() {
                calls.send(None);
            }
            let (batch, duration) = match calls.answer().await {
                Ok(Some(answer)) => answer,
                Ok(None) => return idle.ok_or(Unanswered::Stopped),
                // The database has answered; it is not lost.
                Err(Unanswered::Lost(error)) if error::is_conflict(&error) => {
                    metrics::error(ErrorKind::of(&error));
                    tracing::debug!(
                        error = db::describe(&error),
                        "batch in conflict with another"
                    );
                    idle = None;
                    // When stopping begins, what is in flight is waited for all the same.
                    let _on = self.shutdown.sleep(AFTER_A_CONFLICT).await;
                    continue;
                }
                Err(end) => return Err(end),
            };
            self.health.database_reached(&self.name);
            connection.works();
            if batch.outcome == Outcome::Idle {
                idle = Some(batch.next_due);
            } else {
                idle = None;
                wanted = batches_left(&batch).max(wanted * 2).min(most_in_flight);
                self.reporter.batch(batch, duration);
            }
        }
    }
}

/// How many batches like this one its move still needs, all lanes together.
fn batches_left(batch: &Batch) -> usize {
    let left = batch.leads_remaining.checked_div(batch.leads_moved.into());
    left.and_then(|left| usize::try_from(left).ok())
        .unwrap_or_default()
}

async fn round_trip(queue: &Queue) -> Result<Duration, QueueError> {
    let asked = Instant::now();
    timeout(PING_DEADLINE, queue.ping())
        .await
        .map_err(|_| QueueError::Silent)??;
    Ok(asked.elapsed())
}

/// How many calls to have in flight: so many that the server has the next one at hand when it is done with
/// one, and another for each batch that would fit into a round trip, so that a database far away is kept as
/// busy as one next door.
fn most_in_flight(round_trip: Duration) -> usize {
    let batches = round_trip.as_millis() / QUICK_BATCH.as_millis();
    usize::try_from(batches)
        .unwrap_or(usize::MAX)
        .saturating_add(IN_FLIGHT_NEXT_DOOR)
        .min(MOST_IN_FLIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farther_the_database_the_more_calls_are_in_flight() {
        for (round_trip_ms, expected) in [(0, 3), (1, 3), (3, 4), (20, 9), (50, 16), (5_000, 16)] {
            let calls = most_in_flight(Duration::from_millis(round_trip_ms));
            assert_eq!(calls, expected, "{round_trip_ms} ms");
        }
    }
}
