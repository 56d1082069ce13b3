//! Reads the gauges of queue and ledger from the database, seldom.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::db::{self, ConnectionSettings};
use crate::error::ErrorKind;
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Queue, QueueError};
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;

const SAMPLE_INTERVAL: Duration = Duration::from_secs(15);

/// The task that samples.
pub(crate) struct Sampler {
    pub(crate) settings: ConnectionSettings,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: PrometheusHandle,
}

impl Sampler {
    /// Samples until stopping begins, through any number of lost connections.
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
            self.health.schema(queue.schema_state().await?);
            metrics::sample(&queue.sample().await?);
            connection.works();
            *said = None;
            // Histograms keep what was recorded until they are told to sort it into buckets.
            self.metrics.run_upkeep();
            if !self.shutdown.sleep(SAMPLE_INTERVAL).await {
                return Ok(());
            }
        }
    }
}
