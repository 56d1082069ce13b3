//! Sessions whose connection is driven by a task of its own.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

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

/// The same, with settings for the server's session, which the connection string's own `options` win over;
/// `None` where the server, or a pooler before it, does not take them.
///
/// They are sent as `options` when the session starts, and not by `SET`: behind a transaction-mode pooler
/// a `SET` would stay with a server session that others use next.
///
/// # Errors
/// As [`connect`].
pub async fn open_session_with(
    settings: &ConnectionSettings,
    application_name: &str,
    session_settings: &[(&str, &str)],
) -> Result<Option<Client>, ConnectError> {
    match open_session(&settings.with_defaults(session_settings), application_name).await {
        Ok(client) => Ok(Some(client)),
        Err(error) if denies_settings(&error) => {
            tracing::debug!(error = describe(&error), "session settings are not taken");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A setting that is unknown, has no such value or may not be set; or, from a pooler, any at all.
fn denies_settings(error: &ConnectError) -> bool {
    let ConnectError::Connect { source, .. } = error else {
        return false;
    };
    source.code().is_some_and(|code| {
        [
            SqlState::UNDEFINED_OBJECT,
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::PROTOCOL_VIOLATION,
            SqlState::FEATURE_NOT_SUPPORTED,
        ]
        .contains(code)
    })
}
