//! A session that drives itself: for everything but the listener.

use tokio_postgres::Client;

use super::{ConnectError, ConnectionSettings, connect, describe};

/// Opens a session whose connection is driven by a task of its own. The task ends with the client.
///
/// # Errors
/// As [`connect`].
pub async fn open_session(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<Client, ConnectError> {
    // Boxed: TLS makes it 20 KB, which every task that connects would carry along.
    let (client, connection) = Box::pin(connect(settings, application_name)).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing is lost with it: it ends when its client is dropped, and what ends it earlier fails the client's next call"
    )]
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = describe(&error), "connection ended");
        }
    });
    Ok(client)
}
