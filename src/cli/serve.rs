//! `lead-mover serve`.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::systemd;
use crate::app::Service;
use crate::config::ServiceArgs;
use crate::shutdown::Shutdown;
use pg_connection::ConnectionSettings;

pub(super) async fn run(
    args: &ServiceArgs,
    database: ConnectionSettings,
) -> anyhow::Result<ExitCode> {
    let settings = args.settings(database)?;
    let shutdown = Shutdown::default();
    let mut signals = Signals::new()?;
    let service = Service::bind(settings).await?;
    let health = service.health();
    tokio::select! {
        outcome = service.run(shutdown.clone()) => outcome?,
        () = signals.handle(&shutdown) => {}
        () = systemd::notify_systemd(&health, &shutdown) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and SIGINT: the first asks to stop, the second to stop at once.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Never returns: the service ends when it has stopped.
    pub(super) async fn handle(&mut self, shutdown: &Shutdown) {
        self.received().await;
        shutdown.begin();
        self.received().await;
        shutdown.force();
        std::future::pending::<()>().await;
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
