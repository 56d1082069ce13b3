//! Whether a session hears notifications: it is called, and the call has to come in.

use std::future::{Future, poll_fn};
use std::time::Duration;

use postgres_types::Type;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Notification};
use uuid::Uuid;

use super::ListenError;
use crate::db::Connection;

/// How long an answer, or a call, may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// A channel that nobody else knows, to be called on.
pub(crate) struct Echo {
    channel: String,
    /// The last call that came in.
    heard: watch::Sender<String>,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self {
            channel: format!("lead_mover_echo_{}", Uuid::new_v4().simple()),
            heard: watch::Sender::new(String::new()),
        }
    }

    /// Makes the session listen.
    pub(crate) async fn listen(&self, client: &Client) -> Result<(), ListenError> {
        execute(client, &format!("listen {}", self.channel)).await
    }

    /// Makes the session listen no more: behind a pooler it is somebody else's next.
    pub(crate) async fn unlisten(&self, client: &Client) -> Result<(), ListenError> {
        execute(client, &format!("unlisten {}", self.channel)).await
    }

    /// Calls from that session, and waits until the call is heard, or would have been. It has to be another
    /// session than the one that listens: what a session sends itself comes back through any pooler, with
    /// the answer.
    pub(crate) async fn call(&self, caller: &Client) -> Result<bool, ListenError> {
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
        let came = timeout(DEADLINE, heard.wait_for(|heard| *heard == call)).await;
        Ok(came.is_ok())
    }

    /// To be told of each notification that comes in.
    pub(crate) fn hear(&self, notification: &Notification) {
        if notification.channel() == self.channel {
            self.heard.send_replace(notification.payload().to_owned());
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

/// No name in it may need quotes: a constant, and hexadecimal digits.
pub(super) async fn execute(client: &Client, statement: &str) -> Result<(), ListenError> {
    in_time(client.batch_execute(statement), ListenError::Listen).await
}

pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    error: impl FnOnce(tokio_postgres::Error) -> ListenError,
) -> Result<T, ListenError> {
    match timeout(DEADLINE, answer).await {
        Ok(outcome) => outcome.map_err(error),
        Err(_) => Err(ListenError::Silent),
    }
}
