//! Sessions that drive themselves: for everything but the listener.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{ConnectError, ConnectionSettings, connect, describe};

/// What the server is to do with a session that moves leads, unless the connection string says otherwise
/// in its `options`. A batch takes milliseconds: one that takes a minute is undone, and comes back smaller.
/// A lock that is not to be had in five seconds is somebody's long transaction, and the batch comes back
/// later. Nothing is ever idle in a transaction but after a fault. The last one notices within five seconds
/// that the service has gone in the middle of a batch (a batch of its may else run on; PostgreSQL 14).
const WORKING: [(&str, &str); 4] = [
    ("statement_timeout", "60s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("client_connection_check_interval", "5s"),
];

/// Opens a session for moving leads, with time-outs of its own.
///
/// They are sent as `options` when the session starts, and not by `SET`: behind a transaction-mode pooler
/// a `SET` would stay with a server session that others use next. A server or pooler that does not take
/// them is asked without.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn open_working_session(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<Client, ConnectError> {
    match open_with_time_outs(settings, application_name).await? {
        Some(client) => Ok(client),
        None => open_session(settings, application_name).await,
    }
}

/// Whether the server, or a pooler before it, takes the time-outs of a working session.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn takes_time_outs(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<bool, ConnectError> {
    let opened = open_with_time_outs(settings, application_name).await?;
    Ok(opened.is_some())
}

/// None: the server is there, and does not take the settings.
async fn open_with_time_outs(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<Option<Client>, ConnectError> {
    match open_session(&settings.with_defaults(&WORKING), application_name).await {
        Ok(client) => Ok(Some(client)),
        Err(error) if refuses_settings(&error) => {
            tracing::debug!(error = describe(&error), "session settings are not taken");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

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

/// A setting that is unknown, has no such value or may not be set; or, from a pooler, any at all.
fn refuses_settings(error: &ConnectError) -> bool {
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
