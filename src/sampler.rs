//! Reads the gauges of queue and ledger from the database, seldom.

use std::future::Future;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::timeout;

use crate::db::{self, ConnectionSettings};
use crate::health::HealthReporter;
use crate::metrics::{self, ConnectionRole};
use crate::queue::{Queue, QueueError};
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;

const SAMPLE_INTERVAL: Duration = Duration::from_secs(15);
/// How long the server may take: a connection that is gone without a word would else be waited for for ever,
/// and the gauges stand still.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);

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
        loop {
            let Some(Err(error)) = self.shutdown.or_begun(self.sample(&mut connection)).await
            else {
                return;
            };
            // The workers say when the database is lost; here it is only worth a line for debugging.
            tracing::debug!(error = db::describe(&error), "sampling failed");
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    async fn sample(&self, connection: &mut Reconnecting) -> Result<(), QueueError> {
        let queue = Queue::connect(&self.settings, "lead-mover sampler").await?;
        loop {
            self.health.schema(answer(queue.schema_state()).await?);
            metrics::sample(&answer(queue.sample()).await?);
            connection.works();
            // Histograms keep what was recorded until they are told to sort it into buckets.
            self.metrics.run_upkeep();
            if !self.shutdown.sleep(SAMPLE_INTERVAL).await {
                return Ok(());
            }
        }
    }
}

async fn answer<T>(asked: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    timeout(ANSWER_DEADLINE, asked)
        .await
        .map_err(|_| QueueError::Silent)?
}
