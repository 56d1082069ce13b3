//! Hears `NOTIFY lead_migration_queue` on a connection of its own, and rings the bell.
//!
//! It knows nothing of leads. Correctness never depends on it: without it the workers poll.

mod echo;

use std::convert::Infallible;
use std::time::Duration;

use postgres_types::Type;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::Client;

use self::echo::{execute, in_time};
use crate::db::{self, ConnectError, ConnectionSettings};
use crate::health::HealthReporter;
use crate::metrics::ConnectionRole;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::{Bell, WakeReason};

pub(crate) use self::echo::{DEADLINE, Echo, next_notification};

const CHANNEL: &str = "lead_migration_queue";
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// How far apart the workers look while nothing is heard.
const DEAF_POLL_INTERVAL: Duration = Duration::from_secs(2);

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
    #[error("cannot send the listener a notification")]
    Call(#[source] tokio_postgres::Error),
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
    /// None: there is nothing to be heard.
    pub(crate) settings: Option<ConnectionSettings>,
    /// The database whose notifications are to be heard.
    pub(crate) database: ConnectionSettings,
    pub(crate) bell: Bell,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    /// How far apart the workers look while notifications come in.
    pub(crate) poll_interval: Duration,
}

impl Listener {
    /// Listens until stopping begins, through any number of lost connections.
    pub(crate) async fn run(self) {
        let Some(settings) = &self.settings else {
            self.health.listener_off();
            return self.shutdown.begun().await;
        };
        let mut connection = Reconnecting::new(ConnectionRole::Listener);
        loop {
            let listening = self.listen(settings, &mut connection);
            let Some(error) = self.shutdown.or_begun(listening).await else {
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
    async fn listen(
        &self,
        settings: &ConnectionSettings,
        reconnecting: &mut Reconnecting,
    ) -> ListenError {
        let (client, mut connection) =
            match Box::pin(db::connect(settings, "lead-mover listener")).await {
                Ok(session) => session,
                Err(error) => return error.into(),
            };
        let echo = Echo::new();
        let session = self.stay(&client, &echo, reconnecting);
        tokio::pin!(session);
        loop {
            tokio::select! {
                notification = next_notification(&mut connection) => match notification {
                    Ok(notification) if notification.channel() == CHANNEL => {
                        self.bell.ring(WakeReason::Notify);
                    }
                    Ok(notification) => echo.hear(&notification),
                    Err(error) => return error,
                },
                Err(error) = &mut session => return error,
            }
        }
    }

    /// Listens once it is proved that it hears, rings for what came in between, and keeps asking whether
    /// the session is still there. Ends only with an error.
    ///
    /// While it hears nothing it does not listen either: behind a transaction-mode pooler that would stay
    /// with a server session, and whatever application uses that next would hear of our moves.
    async fn stay(
        &self,
        client: &Client,
        echo: &Echo,
        reconnecting: &mut Reconnecting,
    ) -> Result<Infallible, ListenError> {
        while !self.hears(client, echo).await? {
            self.bell
                .set_poll_interval(self.poll_interval.min(DEAF_POLL_INTERVAL));
            reconnecting.works();
            self.health.listener_deaf();
            sleep_until(Instant::now() + HEARTBEAT_INTERVAL).await;
        }
        execute(client, &format!("listen {CHANNEL}")).await?;
        self.bell.set_poll_interval(self.poll_interval);
        self.bell.ring(WakeReason::Reconnect);
        reconnecting.works();
        self.health.listener_hearing();
        loop {
            sleep_until(Instant::now() + HEARTBEAT_INTERVAL).await;
            if !in_time(still_listens(client), ListenError::Connection).await? {
                return Err(ListenError::Forgotten);
            }
        }
    }

    /// Whether a notification comes in that is sent where moves are queued, so that a listener in another
    /// database is found out too.
    async fn hears(&self, client: &Client, echo: &Echo) -> Result<bool, ListenError> {
        echo.listen(client).await?;
        let caller = db::open_session(&self.database, "lead-mover echo").await?;
        let heard = echo.call(&caller).await?;
        if !heard {
            echo.unlisten(client).await?;
        }
        Ok(heard)
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
