//! Whether a session receives notifications: one is sent to it, and has to come in.

use std::future::{Future, poll_fn};
use std::time::Duration;

use pg_connection::Connection;
use postgres_types::Type;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Notification};
use uuid::Uuid;

use super::ListenError;

/// A channel of its own, and the last notification that came in on it.
pub(crate) struct NotifyProbe {
    channel: String,
    received: watch::Sender<String>,
    /// How long an answer or a notification may take.
    timeout: Duration,
}

impl NotifyProbe {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            channel: format!("lead_mover_probe_{}", Uuid::new_v4().simple()),
            received: watch::Sender::new(String::new()),
            timeout,
        }
    }

    /// Makes the session listen on the probe's channel.
    pub(crate) async fn listen(&self, client: &Client) -> Result<(), ListenError> {
        execute(client, &format!("listen {}", self.channel), self.timeout).await
    }

    /// Ends that: behind a pooler the server session is another client's next.
    pub(crate) async fn unlisten(&self, client: &Client) -> Result<(), ListenError> {
        execute(client, &format!("unlisten {}", self.channel), self.timeout).await
    }

    /// Sends a notification over `sender`, and returns whether it came in. The sender has to be another session
    /// than the one that listens: what a session sends itself comes back through any pooler, with the answer.
    pub(crate) async fn send(&self, sender: &Client) -> Result<bool, ListenError> {
        let payload = Uuid::new_v4().to_string();
        within(
            self.timeout,
            sender.query_typed(
                "select pg_notify($1, $2)",
                &[(&self.channel, Type::TEXT), (&payload, Type::TEXT)],
            ),
            ListenError::Notify,
        )
        .await?;
        let mut received = self.received.subscribe();
        let came_in = timeout(self.timeout, received.wait_for(|last| *last == payload)).await;
        Ok(came_in.is_ok())
    }

    /// Takes note of a notification that came in.
    pub(crate) fn receive(&self, notification: &Notification) {
        if notification.channel() == self.channel {
            self.received
                .send_replace(notification.payload().to_owned());
        }
    }
}

pub(crate) async fn next_notification(
    connection: &mut Connection,
) -> Result<Notification, ListenError> {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => return Ok(notification),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(ListenError::Connection(error)),
            None => return Err(ListenError::Closed),
        }
    }
}

/// No name in the statement may need quotes: a constant, and hexadecimal digits.
pub(super) async fn execute(
    client: &Client,
    statement: &str,
    limit: Duration,
) -> Result<(), ListenError> {
    within(limit, client.batch_execute(statement), ListenError::Listen).await
}

pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    error: impl FnOnce(tokio_postgres::Error) -> ListenError,
) -> Result<T, ListenError> {
    match timeout(limit, answer).await {
        Ok(outcome) => outcome.map_err(error),
        Err(_) => Err(ListenError::Timeout(limit)),
    }
}
