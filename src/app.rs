//! The service: which tasks there are, what they share, and what happens when one ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::ServiceSettings;
use crate::health::HealthReporter;
use crate::http::{Pages, ProcessQueue};
use crate::listener::Listener;
use crate::report::Reporter;
use crate::sampler::{GaugeCache, Sampler};
use crate::worker::Worker;
use crate::{http, metrics, wake};

pub use crate::report::BatchReport;
pub use crate::shutdown::Shutdown;

/// Why the service ended though nobody stopped it.
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
    #[error("the {task} task ended unasked")]
    TaskEnded {
        /// Which.
        task: &'static str,
    },
    /// A task panicked.
    #[error("the {task} task panicked")]
    TaskPanicked {
        /// Which.
        task: &'static str,
        /// The panic.
        source: JoinError,
    },
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
    /// [`ServiceError::TaskEnded`] and [`ServiceError::TaskPanicked`]: the rest was stopped at once.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ServiceError> {
        let health = self.health.clone();
        let mut tasks = Tasks::default();
        let grace = self.settings.shutdown_grace;
        let rollback = self.settings.timings.rollback;
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

        let outcome = supervise(&mut tasks, &health, &shutdown, &http_stop, grace, rollback).await;
        tasks.running.shutdown().await;
        tracing::info!("lead-mover stopped");
        outcome
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
                timings.response,
            )
        });
        if let Some(process_queue) = process_queue.clone() {
            tasks.spawn(
                "HTTP requests",
                async move { process_queue.drained().await },
            );
        }
        let server = http::serve(self.http, http::router(pages, process_queue), http_stop);
        tasks.spawn("HTTP server", server);
    }
}

/// The tasks that are running, and what each is called.
#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    names: HashMap<task::Id, &'static str>,
}

impl Tasks {
    fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.running.spawn(work);
        self.names.insert(task.id(), name);
    }

    /// Waits for the first task to end, and says which it was; `None` where none is running.
    async fn ended(&mut self) -> Option<ServiceError> {
        let ended = self.running.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let task = self.names.remove(&id).unwrap_or("unnamed");
        Some(match ended {
            Ok(_) => ServiceError::TaskEnded { task },
            Err(source) => ServiceError::TaskPanicked { task, source },
        })
    }
}

/// Watches the tasks: before stopping has begun none may end; after, they are waited for.
async fn supervise(
    tasks: &mut Tasks,
    health: &HealthReporter,
    shutdown: &Shutdown,
    http_stop: &CancellationToken,
    grace: Duration,
    rollback: Duration,
) -> Result<(), ServiceError> {
    tokio::select! {
        Some(ended) = tasks.ended() => {
            if !shutdown.has_begun() {
                shutdown.force();
                return Err(ended);
            }
        }
        () = shutdown.begun() => {}
    }
    health.draining();
    let time_is_up = async {
        let _forced_or_over = tokio::time::timeout(grace, shutdown.forced()).await;
        shutdown.force();
        tokio::time::sleep_until(tokio::time::Instant::now() + rollback).await;
    };
    tokio::pin!(time_is_up);
    // All but HTTP end by themselves; HTTP goes on answering that the service is draining.
    while !tasks.running.is_empty() {
        if tasks.running.len() == 1 {
            http_stop.cancel();
        }
        tokio::select! {
            Some(_) = tasks.ended() => {}
            () = &mut time_is_up => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_named_in_the_error() {
        let mut tasks = Tasks::default();
        tasks.spawn("listener", std::future::pending());
        tasks.spawn("worker", async { panic!("for the test") });

        let shutdown = Shutdown::default();
        let ended = supervise(
            &mut tasks,
            &HealthReporter::new(),
            &shutdown,
            &CancellationToken::new(),
            Duration::ZERO,
            Duration::ZERO,
        )
        .await;

        let error = ended.expect_err("it ended unasked").to_string();
        assert_eq!(error, "the worker task panicked");
        assert!(shutdown.is_forced());
    }
}
