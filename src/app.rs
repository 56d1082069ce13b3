//! The service: which tasks there are, and what they share.

use std::net::SocketAddr;

use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::config::ServiceSettings;
use crate::health::HealthReporter;
use crate::http::{Pages, ProcessQueue};
use crate::listener::Listener;
use crate::report::Reporter;
use crate::sampler::{GaugeCache, Sampler};
use crate::supervisor::{StopLimits, Tasks};
use crate::worker::Worker;
use crate::{http, metrics, wake};

pub use crate::report::BatchReport;
pub use crate::shutdown::Shutdown;
pub use crate::supervisor::TaskError;

/// Why the service ended without being stopped.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The address of the HTTP server could not be taken.
    #[error("cannot serve HTTP on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The process has a recorder of metrics already.
    #[error("cannot record metrics")]
    Metrics(#[source] BuildError),
    /// A task ended that should have gone on.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// The service, with its HTTP address taken, before any task runs.
pub struct Service {
    settings: ServiceSettings,
    http: TcpListener,
    http_address: SocketAddr,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    reporter: Reporter,
    health: HealthReporter,
}

impl Service {
    /// Takes the HTTP address and installs the metrics: what no retry would help fails here.
    ///
    /// # Errors
    /// [`ServiceError::Bind`], [`ServiceError::Metrics`].
    pub async fn bind(settings: ServiceSettings) -> Result<Self, ServiceError> {
        let address = settings.http_addr;
        let bind_error = |source| ServiceError::Bind { address, source };
        let http = TcpListener::bind(address).await.map_err(bind_error)?;
        let http_address = http.local_addr().map_err(bind_error)?;
        Ok(Self {
            settings,
            http,
            http_address,
            metrics: metrics::install().map_err(ServiceError::Metrics)?,
            reporter: Reporter::new(),
            health: HealthReporter::new(),
        })
    }

    /// Where HTTP is served; with port 0 asked for, the port that was given.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Each batch from here on.
    #[must_use]
    pub fn reports(&self) -> broadcast::Receiver<BatchReport> {
        self.reporter.subscribe()
    }

    /// The state of the service.
    pub(crate) fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// Runs until it is asked to stop and has stopped.
    ///
    /// # Errors
    /// [`ServiceError::Task`]: the rest was stopped at once.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ServiceError> {
        let health = self.health.clone();
        let mut tasks = Tasks::default();
        let limits = StopLimits {
            grace: self.settings.shutdown_grace,
            rollback: self.settings.timings.rollback,
        };
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            http = %self.http_address,
            database = %self.settings.database,
            workers = self.settings.workers,
            poll_interval = %humantime::format_duration(self.settings.poll_interval),
            "lead-mover started"
        );
        let http_stop = CancellationToken::new();
        self.spawn_all(&mut tasks, &shutdown, http_stop.clone());

        let outcome = tasks
            .supervise(&health, &shutdown, &http_stop, limits)
            .await;
        tracing::info!("lead-mover stopped");
        Ok(outcome?)
    }

    fn spawn_all(self, tasks: &mut Tasks, shutdown: &Shutdown, http_stop: CancellationToken) {
        let health = self.health;
        let timings = self.settings.timings;
        let (wake_sender, wake_receiver) = wake::channel(self.settings.poll_interval);
        for number in 1..=self.settings.workers {
            let worker = Worker {
                settings: self.settings.database.clone(),
                name: format!("lead-mover worker {number}"),
                wake_receiver: wake_receiver.clone(),
                health: health.clone(),
                shutdown: shutdown.clone(),
                reporter: self.reporter.clone(),
                timings,
            };
            tasks.spawn("worker", worker.run());
        }
        let listener = Listener {
            settings: self.settings.database_listen,
            database: self.settings.database.clone(),
            wake_sender,
            health: health.clone(),
            shutdown: shutdown.clone(),
            poll_interval: self.settings.poll_interval,
            timings,
        };
        tasks.spawn("listener", listener.run());
        let gauges = GaugeCache::new(timings);
        let sampler = Sampler {
            settings: self.settings.database.clone(),
            health: health.clone(),
            shutdown: shutdown.clone(),
            metrics: self.metrics.clone(),
            gauges: gauges.clone(),
            timings,
        };
        tasks.spawn("sampler", sampler.run());
        let pages = Pages {
            health,
            metrics: self.metrics,
            gauges,
        };
        let process_queue = self.settings.api_token.map(|token| {
            ProcessQueue::new(
                token,
                self.settings.database,
                self.reporter,
                shutdown.clone(),
                timings,
            )
        });
        if let Some(process_queue) = process_queue.clone() {
            tasks.spawn(
                "HTTP requests",
                async move { process_queue.drained().await },
            );
        }
        let server = http::serve(
            self.http,
            http::router(pages, process_queue),
            timings.http_head,
            http_stop,
        );
        tasks.spawn("HTTP server", server);
    }
}
