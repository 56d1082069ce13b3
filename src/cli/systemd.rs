//! Notifies systemd of a service of `Type=notify`, where `NOTIFY_SOCKET` is set.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::health::HealthReporter;
use crate::shutdown::Shutdown;

/// How much longer systemd is to wait for a service whose database is not there yet, and how often it is
/// notified of that.
const STARTUP_EXTENSION_USEC: u32 = 60_000_000;
const REMINDER_INTERVAL: Duration = Duration::from_secs(30);

/// Notifies when the service is ready, and when it stops. Never returns.
pub(super) async fn notify_systemd(health: &HealthReporter, shutdown: &Shutdown) {
    let becoming_ready = async {
        while tokio::time::timeout(REMINDER_INTERVAL, health.ready())
            .await
            .is_err()
        {
            notify(&[
                NotifyState::ExtendTimeoutUsec(STARTUP_EXTENSION_USEC),
                NotifyState::Status("waiting for the database"),
            ]);
        }
    };
    if shutdown.or_begun(becoming_ready).await.is_some() {
        notify(&[NotifyState::Ready, NotifyState::Status("ready")]);
    }
    shutdown.begun().await;
    notify(&[NotifyState::Stopping]);
    std::future::pending::<()>().await;
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}
