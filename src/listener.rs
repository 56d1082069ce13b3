//! Listens for `NOTIFY lead_migration_queue` on a connection of its own, and wakes the workers.
//!
//! It must not depend on leads or the queue. Correctness never depends on it: without it the workers poll.

mod probe;

use std::convert::Infallible;
use std::time::Duration;

use pg_connection::{ConnectError, ConnectionSettings};
use postgres_types::Type;
use thiserror::Error;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::Client;

use self::probe::{execute, within};
use crate::health::HealthReporter;
use crate::metrics::ConnectionRole;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::timings::Timings;
use crate::wake::{WakeReason, WakeSender};

pub(crate) use self::probe::{NotifyProbe, next_notification};

const CHANNEL: &str = "lead_migration_queue";

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
    Notify(#[source] tokio_postgres::Error),
    #[error("the listener's connection did not answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    #[error("the listener's session no longer listens")]
    NotListening,
}

/// The task that listens.
pub(crate) struct Listener {
    /// `None`: no notifications are wanted.
    pub(crate) settings: Option<ConnectionSettings>,
    /// The database whose notifications are to come in.
    pub(crate) database: ConnectionSettings,
    pub(crate) wake_sender: WakeSender,
    pub(crate) health: HealthReporter,
    pub(crate) shutdown: Shutdown,
    /// How far apart the workers look while notifications come in.
    pub(crate) poll_interval: Duration,
    pub(crate) timings: Timings,
}

impl Listener {
    /// Listens until stopping begins, through any number of lost connections.
    pub(crate) async fn run(self) {
        let Some(settings) = &self.settings else {
            self.health.listener_off();
            return self.shutdown.begun().await;
        };
        let mut connection = Reconnecting::new(ConnectionRole::Listener, self.timings.reconnect);
        loop {
            let listening = self.run_session(settings, &mut connection);
            let Some(error) = self.shutdown.or_begun(listening).await else {
                return;
            };
            self.poll_more_often();
            self.health.listener_lost(&error);
            if !connection.pause(&self.shutdown).await {
                return;
            }
        }
    }

    /// One connection, to its end. The connection is driven here and not by a task of its own,
    /// because awaiting it throws notifications away.
    async fn run_session(
        &self,
        settings: &ConnectionSettings,
        reconnecting: &mut Reconnecting,
    ) -> ListenError {
        let connecting = Box::pin(pg_connection::connect(settings, "lead-mover listener"));
        let (client, mut connection) = match connecting.await {
            Ok(session) => session,
            Err(error) => return error.into(),
        };
        let probe = NotifyProbe::new(self.timings.notify);
        let listening = self.keep_listening(&client, &probe, reconnecting);
        tokio::pin!(listening);
        loop {
            tokio::select! {
                notification = next_notification(&mut connection) => match notification {
                    Ok(notification) if notification.channel() == CHANNEL => {
                        self.wake_sender.wake(WakeReason::Notify);
                    }
                    Ok(notification) => probe.receive(&notification),
                    Err(error) => return error,
                },
                Err(error) = &mut listening => return error,
            }
        }
    }

    /// Listens once a probe has come in, wakes the workers for what was queued before, and keeps asking whether
    /// the session still listens. Ends only with an error.
    ///
    /// While no probe comes in it does not listen either: behind a transaction-mode pooler `LISTEN` would stay
    /// with a server session, and the application that uses it next would receive our notifications.
    async fn keep_listening(
        &self,
        client: &Client,
        probe: &NotifyProbe,
        reconnecting: &mut Reconnecting,
    ) -> Result<Infallible, ListenError> {
        while !self.receives(client, probe).await? {
            self.poll_more_often();
            reconnecting.connected();
            self.health.listener_deaf();
            sleep_until(Instant::now() + self.timings.heartbeat).await;
        }
        execute(client, &format!("listen {CHANNEL}"), self.timings.notify).await?;
        self.wake_sender.set_poll_interval(self.poll_interval);
        self.wake_sender.wake(WakeReason::Reconnect);
        reconnecting.connected();
        self.health.listener_hearing();
        loop {
            sleep_until(Instant::now() + self.timings.heartbeat).await;
            let asking = still_listens(client);
            if !within(self.timings.notify, asking, ListenError::Connection).await? {
                return Err(ListenError::NotListening);
            }
        }
    }

    /// Whether a notification comes in that is sent where moves are queued. A listener in another database
    /// is found out so too.
    async fn receives(&self, client: &Client, probe: &NotifyProbe) -> Result<bool, ListenError> {
        probe.listen(client).await?;
        let sender = pg_connection::open_session(&self.database, "lead-mover probe").await?;
        let came_in = probe.send(&sender).await?;
        if !came_in {
            probe.unlisten(client).await?;
        }
        Ok(came_in)
    }

    fn poll_more_often(&self) {
        let interval = self.poll_interval.min(self.timings.degraded_poll);
        self.wake_sender.set_poll_interval(interval);
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
