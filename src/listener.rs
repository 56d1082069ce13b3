//! Hears `NOTIFY lead_migration_queue` on a connection of its own, and rings the bell.
//!
//! It knows nothing of leads. Correctness never depends on it: without it the workers poll.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::time::Duration;

use postgres_types::Type;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client, Notification};
use uuid::Uuid;

use crate::db::{self, ConnectError, Connection, ConnectionSettings};
use crate::health::HealthReporter;
use crate::metrics::ConnectionRole;
use crate::retry::Reconnecting;
use crate::shutdown::Shutdown;
use crate::wake::{Bell, WakeReason};

const CHANNEL: &str = "lead_migration_queue";
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
const HEARTBEAT_DEADLINE: Duration = Duration::from_secs(5);
/// How far apart the workers look while nothing is heard.
const DEAF_POLL_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug, Error)]
enum ListenError {
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
        humantime::format_duration(HEARTBEAT_DEADLINE)
    )]
    Silent,
    #[error("the listener's session no longer listens")]
    Forgotten,
}

/// The task that listens.
pub(crate) struct Listener {
    pub(crate) settings: ConnectionSettings,
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
                message = next_message(&mut connection) => match message {
                    Ok(message) if message.channel() == CHANNEL => {
                        self.bell.ring(WakeReason::Notify);
                    }
                    Ok(message) if message.channel() == echo.channel => echo.hear(&message),
                    Ok(_) => {}
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

    /// Whether a notification comes in. It has to be sent by another session: one that a session sends
    /// itself comes back through any pooler, with the answer. And it is sent where moves are queued, so
    /// that a listener in another database is found out too.
    async fn hears(&self, client: &Client, echo: &Echo) -> Result<bool, ListenError> {
        execute(client, &format!("listen {}", echo.channel)).await?;
        let caller = db::open_session(&self.database, "lead-mover echo").await?;
        let heard = echo.call(&caller).await?;
        if !heard {
            execute(client, &format!("unlisten {}", echo.channel)).await?;
        }
        Ok(heard)
    }
}

/// A channel that nobody else knows, to be called on.
struct Echo {
    channel: String,
    /// The last call that came in.
    heard: watch::Sender<String>,
}

impl Echo {
    fn new() -> Self {
        Self {
            channel: format!("lead_mover_echo_{}", Uuid::new_v4().simple()),
            heard: watch::Sender::new(String::new()),
        }
    }

    fn hear(&self, message: &Notification) {
        self.heard.send_replace(message.payload().to_owned());
    }

    /// Calls from that session, and waits until it is heard, or would have been.
    async fn call(&self, caller: &Client) -> Result<bool, ListenError> {
        let call = Uuid::new_v4().to_string();
        in_time(
            caller.query_typed(
                "select pg_notify($1, $2)",
                &[(&self.channel, Type::TEXT), (&call, Type::TEXT)],
            ),
            ListenError::Call,
        )
        .await?;
        let mut heard = self.heard.subscribe();
        let answer = timeout(HEARTBEAT_DEADLINE, heard.wait_for(|heard| *heard == call)).await;
        Ok(answer.is_ok())
    }
}

async fn next_message(connection: &mut Connection) -> Result<Notification, ListenError> {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => return Ok(notification),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(ListenError::Connection(error)),
            None => return Err(ListenError::Closed),
        }
    }
}

/// No name in it needs quoting: a constant, and hexadecimal digits.
async fn execute(client: &Client, statement: &str) -> Result<(), ListenError> {
    in_time(client.batch_execute(statement), ListenError::Listen).await
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

async fn in_time<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    error: impl FnOnce(tokio_postgres::Error) -> ListenError,
) -> Result<T, ListenError> {
    timeout(HEARTBEAT_DEADLINE, answer)
        .await
        .map_err(|_| ListenError::Silent)?
        .map_err(error)
}
