//! Takes samples of queue and ledger for the gauges, and looks which schema the database has, when a request
//! asks for them: without requests the sampler sends the database nothing.

use std::future::Future;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use pg_connection::ConnectionSettings;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use crate::error::ErrorKind;
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Queue, QueueError, Sample};
use crate::report;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::timings::Timings;

/// The task that takes samples.
pub(crate) struct Sampler {
    pub(crate) settings: ConnectionSettings,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) gauges: GaugeCache,
    pub(crate) timings: Timings,
}

/// The gauges as the last sample set them, and the way to request another; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct GaugeCache {
    requested: Arc<Notify>,
    updated: watch::Sender<Option<Instant>>,
    timings: Timings,
}

impl GaugeCache {
    pub(crate) fn new(timings: Timings) -> Self {
        Self {
            requested: Arc::new(Notify::new()),
            updated: watch::Sender::new(None),
            timings,
        }
    }

    /// Requests a sample, unless the last is fresh.
    pub(crate) fn request(&self) {
        if !self.is_fresh(*self.updated.borrow()) {
            self.requested.notify_one();
        }
    }

    /// Requests a sample, and waits for it where the database answers soon. Where it has not answered for too
    /// long, the gauges show no number.
    pub(crate) async fn refresh(&self) {
        let mut updated = self.updated.subscribe();
        self.request();
        let fresh = updated.wait_for(|updated| self.is_fresh(*updated));
        if timeout(self.timings.sample_wait, fresh).await.is_err() {
            self.expire();
        }
    }

    fn expire(&self) {
        // Inside, so that it is not the sample of this very moment that is cleared.
        self.updated.send_if_modified(|updated| {
            let is_expired =
                updated.is_some_and(|updated| updated.elapsed() > self.timings.sample_expiry);
            if is_expired {
                metrics::clear_gauges();
                *updated = None;
            }
            is_expired
        });
    }

    fn store(&self, sample: &Sample) {
        self.updated.send_modify(|updated| {
            metrics::set_gauges(sample);
            *updated = Some(Instant::now());
        });
    }

    fn is_fresh(&self, updated: Option<Instant>) -> bool {
        updated.is_some_and(|updated| updated.elapsed() < self.timings.sample)
    }
}

impl Sampler {
    /// Takes samples on request until stopping begins, through any number of lost connections.
    pub(crate) async fn run(self) {
        let mut connection = Reconnecting::new(ConnectionRole::Sampler, self.timings.reconnect);
        let mut logged = None;
        loop {
            let session = self.run_session(&mut connection, &mut logged);
            let Some(Err(error)) = self.shutdown.or_begun(session).await else {
                return;
            };
            let kind = report::database_error(&error);
            // The workers log when the database is lost, but not what only this task may not do.
            if kind == ErrorKind::Connection || logged == Some(kind) {
                tracing::debug!(error = pg_connection::describe(&error), "sampling failed");
            } else {
                logged = Some(kind);
                tracing::warn!(
                    error = pg_connection::describe(&error),
                    kind = <&str>::from(kind),
                    "the gauges cannot be read; trying again"
                );
            }
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    /// One connection, to its end. `logged` is the kind of error that the log has already.
    async fn run_session(
        &self,
        connection: &mut Reconnecting,
        logged: &mut Option<ErrorKind>,
    ) -> Result<(), QueueError> {
        let queue = Queue::connect(&self.settings, "lead-mover sampler").await?;
        loop {
            self.health
                .schema(self.in_time(queue.schema_state()).await?);
            self.gauges.store(&self.in_time(queue.sample()).await?);
            connection.connected();
            *logged = None;
            self.until_requested().await;
        }
    }

    /// Returns on a request, or when the schema may have become the right one. Meanwhile the histograms sort
    /// what they have recorded into buckets.
    async fn until_requested(&self) {
        while timeout(self.timings.sample, self.gauges.requested.notified())
            .await
            .is_err()
        {
            self.metrics.run_upkeep();
            if !self.health.now().has_its_schema() {
                return;
            }
        }
    }

    /// A connection that is gone without a word would else be waited for for ever.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        timeout(self.timings.sample_response, answer)
            .await
            .map_err(|_| QueueError::NoResponse)?
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::time::advance;

    use super::*;

    fn sample() -> Sample {
        Sample {
            queue_depth: 5,
            oldest_message_age: Duration::ZERO,
            leads_remaining: 0,
            moves_stalled: 0,
            moves: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sample_older_than_a_minute_is_not_shown() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (shown, _guard) = (
            recorder.handle(),
            ::metrics::set_default_local_recorder(&recorder),
        );
        let timings = Timings::default();
        let gauges = GaugeCache::new(timings);
        gauges.store(&sample());

        advance(timings.sample_expiry / 2).await;
        gauges.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth 5\n"));

        advance(timings.sample_expiry / 2).await;
        gauges.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth NaN\n"));

        gauges.store(&sample());
        gauges.refresh().await;
        assert!(shown.render().contains("lead_mover_queue_depth 5\n"));
    }
}
