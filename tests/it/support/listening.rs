//! A session that hears what triggers send.

use std::future::poll_fn;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_postgres::AsyncMessage;

use super::{Database, STATE_TIMEOUT, Session};

/// Listens to a channel until it is dropped.
pub(crate) struct Listening {
    channel: &'static str,
    payloads: UnboundedReceiver<String>,
    _session: Session,
    _driver: JoinSet<()>,
}

impl Listening {
    /// To `lead_migration_queue`.
    pub(crate) async fn start(database: &Database) -> Self {
        Self::to(database, "lead_migration_queue").await
    }

    /// To that channel.
    pub(crate) async fn to(database: &Database, channel: &'static str) -> Self {
        let (session, mut connection) = pg_connection::connect(&database.settings(), "listening")
            .await
            .expect("it opens");
        let (sender, payloads) = unbounded_channel();
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(notification) = message {
                    let _ = sender.send(notification.payload().to_owned());
                }
            }
        });
        session
            .batch_execute(&format!("listen {channel}"))
            .await
            .unwrap();
        Self {
            channel,
            payloads,
            _session: session,
            _driver: driver,
        }
    }

    /// The payload of the next notification.
    async fn next(&mut self) -> String {
        tokio::time::timeout(STATE_TIMEOUT, self.payloads.recv())
            .await
            .expect("a notification comes")
            .expect("the session is open")
    }

    /// The payloads of those that came up to now: notifications arrive in the order of their
    /// commits, so all that were sent before this mark have come when the mark has.
    pub(crate) async fn received(&mut self, database: &Database) -> Vec<String> {
        database
            .run(&format!("select pg_notify('{}', 'mark')", self.channel))
            .await;
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                mark if mark == "mark" => return heard,
                payload => heard.push(payload),
            }
        }
    }
}
