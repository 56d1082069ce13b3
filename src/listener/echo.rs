//! Whether a session hears notifications: it calls to itself, and the call has to come back.

use std::future::poll_fn;
use std::time::Duration;

use postgres_types::Type;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};
use uuid::Uuid;

use super::ListenError;
use crate::db::Connection;

/// How long an answer, or a call, may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// A channel that nobody else knows, to hear oneself on.
pub(crate) struct Echo {
    channel: String,
    heard: Notify,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self {
            channel: format!("lead_mover_echo_{}", Uuid::new_v4().simple()),
            heard: Notify::new(),
        }
    }

    /// Makes the session listen, to that channel too if there is one. Its name must need no quotes.
    pub(crate) async fn listen(
        &self,
        client: &Client,
        channel: Option<&str>,
    ) -> Result<(), ListenError> {
        // Hexadecimal digits need none.
        let mut listen = format!("listen {}", self.channel);
        if let Some(channel) = channel {
            listen = format!("listen {channel}; {listen}");
        }
        match timeout(DEADLINE, client.batch_execute(&listen)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ListenError::Listen(error)),
            Err(_) => Err(ListenError::Silent),
        }
    }

    /// Calls from that session; `false` where the call does not come in.
    pub(crate) async fn call(&self, client: &Client) -> Result<bool, ListenError> {
        let call = async {
            client
                .query_typed("select pg_notify($1, '')", &[(&self.channel, Type::TEXT)])
                .await?;
            self.heard.notified().await;
            Ok(())
        };
        match timeout(DEADLINE, call).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) => Err(ListenError::Listen(error)),
            Err(_) => Ok(false),
        }
    }

    /// To be told of each notification that comes in.
    pub(crate) fn hear(&self, channel: &str) {
        if channel == self.channel {
            self.heard.notify_one();
        }
    }
}

/// The channel of the next notification.
pub(crate) async fn next_notification(connection: &mut Connection) -> Result<String, ListenError> {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => {
                return Ok(notification.channel().to_owned());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(ListenError::Connection(error)),
            None => return Err(ListenError::Closed),
        }
    }
}
