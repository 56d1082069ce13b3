//! Reads the gauges of queue and ledger, and which schema the database has, when somebody asks for them:
//! a service that nobody looks at leaves the database alone.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use crate::db::{self, ConnectionSettings};
use crate::error::ErrorKind;
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{self, Queue, QueueError};
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;

/// How old a sample may be; how far apart to look unasked while the schema is not the right one; and how
/// far apart the histograms are told to sort what they have recorded into buckets.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(15);
/// How old a sample may become while the database does not answer. After that nobody knows, and the gauges
/// say so: a number that stands still looks like a queue that does.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// How long whoever asks waits for the answer. After that the last one has to do.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the server may take: a connection that is gone without a word would else be waited for for ever,
/// and the gauges stand still.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);

/// The task that samples.
pub(crate) struct Sampler {
    pub(crate) settings: ConnectionSettings,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) sample: Sample,
}

/// Where to ask for a sample; clones ask the same sampler.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    asked: Arc<Notify>,
    taken: watch::Sender<Option<Instant>>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self {
            asked: Arc::new(Notify::new()),
            taken: watch::Sender::new(None),
        }
    }

    /// Asks for one, unless the last is fresh.
    pub(crate) fn ask(&self) {
        if !is_fresh(*self.taken.borrow()) {
            self.asked.notify_one();
        }
    }

    /// Asks, and waits until there is a fresh one, where the database answers soon. Where it has not for too
    /// long, the gauges show no number.
    pub(crate) async fn refresh(&self) {
        let mut taken = self.taken.subscribe();
        self.ask();
        if timeout(PATIENCE, taken.wait_for(|taken| is_fresh(*taken)))
            .await
            .is_err()
        {
            self.forget_what_is_too_old();
        }
    }

    fn forget_what_is_too_old(&self) {
        // Inside, so that it is not the sample of this very moment that is forgotten.
        self.taken.send_if_modified(|taken| {
            let forgotten = taken.is_some_and(|taken| taken.elapsed() > FORGOTTEN_AFTER);
            if forgotten {
                metrics::no_sample();
                *taken = None;
            }
            forgotten
        });
    }

    fn show(&self, sample: &queue::Sample) {
        self.taken.send_modify(|taken| {
            metrics::sample(sample);
            *taken = Some(Instant::now());
        });
    }
}

fn is_fresh(taken: Option<Instant>) -> bool {
    taken.is_some_and(|taken| taken.elapsed() < SAMPLE_INTERVAL)
}

impl Sampler {
    /// Samples when asked until stopping begins, through any number of lost connections.
    pub(crate) async fn run(self) {
        let mut connection = Reconnecting::new(ConnectionRole::Sampler);
        let mut said = None;
        loop {
            let sampling = self.sample(&mut connection, &mut said);
            let Some(Err(error)) = self.shutdown.or_begun(sampling).await else {
                return;
            };
            let kind = ErrorKind::of(&error);
            // The workers say when the database is lost, but not what only this task may not do.
            if kind == ErrorKind::Connection || said == Some(kind) {
                tracing::debug!(error = db::describe(&error), "sampling failed");
            } else {
                said = Some(kind);
                tracing::warn!(
                    error = db::describe(&error),
                    kind = kind.label(),
                    "the gauges cannot be read; trying again"
                );
            }
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn sample(
        &self,
        connection: &mut Reconnecting,
        said: &mut Option<ErrorKind>,
    ) -> Result<(), QueueError> {
        let queue = Queue::connect(&self.settings, "lead-mover sampler").await?;
        loop {
            self.health.schema(answer(queue.schema_state()).await?);
            self.sample.show(&answer(queue.sample()).await?);
            connection.works();
            *said = None;
            self.until_asked().await;
        }
    }

    /// Returns when somebody asks, or the schema may have become the right one.
    async fn until_asked(&self) {
        while timeout(SAMPLE_INTERVAL, self.sample.asked.notified())
            .await
            .is_err()
        {
            self.metrics.run_upkeep();
            if !self.health.now().has_its_schema() {
                return;
            }
        }
    }
}

async fn answer<T>(asked: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    timeout(ANSWER_DEADLINE, asked)
        .await
        .map_err(|_| QueueError::Silent)?
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::time::advance;

    use super::*;

    fn a_sample() -> queue::Sample {
        queue::Sample {
            queue_depth: 5,
            oldest_message_age: Duration::ZERO,
            leads_remaining: 0,
            migrations: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_longer_than_a_minute_ago_is_not_known_any_more() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (shown, _guard) = (
            recorder.handle(),
            ::metrics::set_default_local_recorder(&recorder),
        );
        let sample = Sample::new();
        sample.show(&a_sample());

        advance(FORGOTTEN_AFTER / 2).await;
        sample.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth 5\n"));

        advance(FORGOTTEN_AFTER / 2).await;
        sample.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth NaN\n"));

        sample.show(&a_sample());
        sample.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth 5\n"));
    }
}
