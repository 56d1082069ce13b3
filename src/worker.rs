//! Takes batches until there is none, then waits to be woken.

use std::time::{Duration, Instant};

use crate::batch::{self, Unanswered};
use crate::db::ConnectionSettings;
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Outcome, Queue};
use crate::report::Reporter;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::Ear;

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
            let connecting = Queue::connect(&self.settings, &self.name);
            let error = match self.shutdown.or_begun(connecting).await {
                None => return,
                Some(Err(error)) => error,
                Some(Ok(queue)) => match self.work(&queue, &mut connection).await {
                    Unanswered::Stopped => return,
                    Unanswered::Lost(error) => error,
                },
            };
            self.health.database_lost(&error);
            // Not the ear: a storm of notifications would undo the backoff.
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn work(&mut self, queue: &Queue, connection: &mut Reconnecting) -> Unanswered {
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
                None => return Unanswered::Stopped,
            }
        }
    }

    /// Batch after batch until nothing is due. Answers with when something will be.
    async fn drain(
        &self,
        queue: &Queue,
        connection: &mut Reconnecting,
    ) -> Result<Option<Duration>, Unanswered> {
        loop {
            if self.shutdown.has_begun() {
                return Err(Unanswered::Stopped);
            }
            let started = Instant::now();
            let batch = batch::process(queue, None, &self.shutdown).await?;
            self.health.database_reached();
            connection.works();
            if batch.outcome == Outcome::Idle {
                return Ok(batch.next_due);
            }
            self.reporter.batch(batch, started.elapsed());
        }
    }
}
