//! The service: which tasks there are, what they share, and what happens when one ends.

use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::ServiceSettings;
use crate::health::HealthReporter;
use crate::http::{Pages, ProcessQueue};
use crate::listener::Listener;
use crate::report::Reporter;
use crate::sampler::{Sample, Sampler};
use crate::worker::Worker;
use crate::{http, metrics, wake};

pub use crate::report::BatchReport;
pub use crate::shutdown::Shutdown;

/// How long cancelled batches may take to roll back before the process ends without them.
const LAST_MOMENT: Duration = Duration::from_secs(3);

/// Why the service ended unasked.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The address of the HTTP server is not to be had.
    #[error("cannot serve HTTP on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The process records metrics for somebody else already.
    #[error("cannot record metrics")]
    Metrics(#[source] BuildError),
    /// A task ended that should have gone on.
    #[error("the {task} task ended unasked")]
    TaskEnded {
        /// Which.
        task: &'static str,
    },
    /// A task panicked.
    #[error("a task died")]
    TaskDied(#[source] JoinError),
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
    /// Takes the HTTP address and installs the metrics: what can fail for good fails here.
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

    /// What is true of it right now.
    pub(crate) fn health(&self) -> HealthReporter {
        self.health.clone()
    }

    /// Runs until it is asked to stop and has stopped.
    ///
    /// # Errors
    /// [`ServiceError::TaskEnded`] and [`ServiceError::TaskDied`]: the rest was stopped at once.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ServiceError> {
        let health = self.health.clone();
        let mut tasks = JoinSet::new();
        let grace = self.settings.shutdown_grace;
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

        let outcome = supervise(&mut tasks, &health, &shutdown, &http_stop, grace).await;
        tasks.shutdown().await;
        tracing::info!("lead-mover stopped");
        outcome
    }

    fn spawn_all(
        self,
        tasks: &mut JoinSet<&'static str>,
        shutdown: &Shutdown,
        http_stop: CancellationToken,
    ) {
        let health = self.health;
        let (bell, ear) = wake::bell(self.settings.poll_interval);
        for number in 1..=self.settings.workers {
            let worker = Worker {
                settings: self.settings.database.clone(),
                name: format!("lead-mover worker {number}"),
                ear: ear.clone(),
                health: health.clone(),
                shutdown: shutdown.clone(),
                reporter: self.reporter.clone(),
            };
            tasks.spawn(async {
                worker.run().await;
                WORKER
            });
        }
        let listener = Listener {
            settings: self.settings.database_listen,
            database: self.settings.database.clone(),
            bell,
            health: health.clone(),
            shutdown: shutdown.clone(),
            poll_interval: self.settings.poll_interval,
        };
        tasks.spawn(async {
            listener.run().await;
            "listener"
        });
        let sample = Sample::new();
        let sampler = Sampler {
            settings: self.settings.database.clone(),
            health: health.clone(),
            shutdown: shutdown.clone(),
            metrics: self.metrics.clone(),
            sample: sample.clone(),
        };
        tasks.spawn(async {
            sampler.run().await;
            "sampler"
        });
        let pages = Pages {
            health,
            metrics: self.metrics,
            sample,
        };
        let process_queue = self.settings.api_token.map(|token| {
            ProcessQueue::new(
                token,
                self.settings.database,
                self.reporter,
                shutdown.clone(),
            )
        });
        if let Some(calls) = process_queue.clone() {
            tasks.spawn(async move {
                calls.drained().await;
                "HTTP calls"
            });
        }
        let server = http::serve(self.http, http::router(pages, process_queue), http_stop);
        tasks.spawn(async {
            server.await;
            "http"
        });
    }
}

const WORKER: &str = "worker";

/// Watches the tasks: before stopping has begun none may end; after, the workers are waited for.
async fn supervise(
    tasks: &mut JoinSet<&'static str>,
    health: &HealthReporter,
    shutdown: &Shutdown,
    http_stop: &CancellationToken,
    grace: Duration,
) -> Result<(), ServiceError> {
    tokio::select! {
        Some(ended) = tasks.join_next() => {
            if !shutdown.has_begun() {
                shutdown.force();
                return Err(match ended {
                    Ok(task) => ServiceError::TaskEnded { task },
                    Err(error) => ServiceError::TaskDied(error),
                });
            }
        }
        () = shutdown.begun() => {}
    }
    health.draining();
    let patience = async {
        let _forced_or_over = tokio::time::timeout(grace, shutdown.forced()).await;
        shutdown.force();
        tokio::time::sleep_until(tokio::time::Instant::now() + LAST_MOMENT).await;
    };
    tokio::pin!(patience);
    // All but HTTP end by themselves; HTTP goes on saying that the service is draining.
    while !tasks.is_empty() {
        if tasks.len() == 1 {
            http_stop.cancel();
        }
        tokio::select! {
            Some(_) = tasks.join_next() => {}
            () = &mut patience => break,
        }
    }
    Ok(())
}
