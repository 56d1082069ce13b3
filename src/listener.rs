//! Hears `NOTIFY lead_migration_queue` on a connection of its own, and rings the bell.
//!
//! It knows nothing of leads. Correctness never depends on it: without it the workers poll.

mod echo;

use std::time::Duration;

use postgres_types::Type;
use thiserror::Error;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::db::{self, ConnectError, ConnectionSettings};
use crate::health::HealthReporter;
use crate::metrics::ConnectionRole;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::{Bell, WakeReason};
use echo::DEADLINE;

pub(crate) use echo::{Echo, next_notification};

const CHANNEL: &str = "lead_migration_queue";
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// How far apart the workers look while nothing is heard.
const DEAF_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Why a session does not listen, or no longer.
#[derive(Debug, Error)]
pub(crate) enum ListenError {
    #[error("cannot connect the listener")]
    Connect(#[from] ConnectError),
    #[error("the listener's connection broke")]
    Connection(#[source] tokio_postgres::Error),
    #[error("the server closed the listener's connection")]
    Closed,
    #[error("cannot listen")]
    Listen(#[source] tokio_postgres::Error),
    #[error(
        "the listener's connection did not answer within {}",
        humantime::format_duration(DEADLINE)
    )]
    Silent,
    #[error("the listener's session no longer listens")]
    Forgotten,
}

/// The task that listens.
pub(crate) struct Listener {
    pub(crate) settings: ConnectionSettings,
    pub(crate) bell: Bell,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    /// How far apart the workers look while notifications come in.
    pub(crate) poll_interval: Duration,
}

impl Listener {
    /// Listens until stopping begins, through any number of lost connections.
    pub(crate) async fn run(self) {
        let mut connection = Reconnecting::new(ConnectionRole::Listener);
        loop {
            let Some(error) = self.shutdown.or_begun(self.listen(&mut connection)).await else {
                return;
            };
            self.bell
                .set_poll_interval(self.poll_interval.min(DEAF_POLL_INTERVAL));
            self.health.listener_lost(&error);
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    /// One connection, to its end. The connection is driven here and not by a task of its own,
    /// because awaiting it throws notifications away.
    async fn listen(&self, reconnecting: &mut Reconnecting) -> ListenError {
        let (client, mut connection) =
            match Box::pin(db::connect(&self.settings, "lead-mover listener")).await {
                Ok(session) => session,
                Err(error) => return error.into(),
            };
        let echo = Echo::new();
        let session = self.stay(&client, &echo, reconnecting);
        tokio::pin!(session);
        loop {
            tokio::select! {
                notification = next_notification(&mut connection) => match notification {
                    Ok(channel) if channel == CHANNEL => self.bell.ring(WakeReason::Notify),
                    Ok(channel) => echo.hear(&channel),
                    Err(error) => return error,
                },
                error = &mut session => return error,
            }
        }
    }

    /// Listens, proves that it hears, rings for what came in between, and keeps asking whether the
    /// session is still there. Ends only with an error.
    async fn stay(
        &self,
        client: &Client,
        echo: &Echo,
        reconnecting: &mut Reconnecting,
    ) -> ListenError {
        if let Err(error) = echo.listen(client, Some(CHANNEL)).await {
            return error;
        }
        match echo.call(client).await {
            Ok(true) => {
                self.bell.set_poll_interval(self.poll_interval);
                self.health.listener_hearing();
            }
            Ok(false) => {
                self.bell
                    .set_poll_interval(self.poll_interval.min(DEAF_POLL_INTERVAL));
                self.health.listener_deaf();
            }
            Err(error) => return error,
        }
        self.bell.ring(WakeReason::Reconnect);
        reconnecting.works();
        loop {
            tokio::time::sleep_until(tokio::time::Instant::now() + HEARTBEAT_INTERVAL).await;
            match timeout(DEADLINE, still_listens(client)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return ListenError::Forgotten,
                Ok(Err(error)) => return ListenError::Connection(error),
                Err(_) => return ListenError::Silent,
            }
        }
    }
}

async fn still_listens(client: &Client) -> Result<bool, tokio_postgres::Error> {
    client
        .query_typed_one(
            "select $1 in (select pg_listening_channels())",
            &[(&CHANNEL, Type::TEXT)],
        )
        .await?
        .try_get(0)
}
