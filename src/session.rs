//! Sessions that process batches, and the time-outs they start with.

use pg_connection::{ConnectError, ConnectionSettings, open_session, open_session_with};
use tokio_postgres::Client;

/// What the server is to do with a session that processes batches, unless the `options` of the
/// connection string set it otherwise. A batch takes milliseconds: one that takes a minute is undone, and comes back
/// smaller. A lock that is not to be had in five seconds is held by a long transaction, and the batch comes
/// back later. No session is idle in a transaction but after a fault. The last one notices within five
/// seconds that the service has gone in the middle of a batch (`PostgreSQL` 14 and newer).
const TIMEOUTS: [(&str, &str); 4] = [
    ("statement_timeout", "60s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("client_connection_check_interval", "5s"),
];

/// Opens a session for processing batches. A server or pooler that does not take the time-outs is asked
/// without.
///
/// # Errors
/// As [`pg_connection::connect`].
pub(crate) async fn open_worker_session(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<Client, ConnectError> {
    match open_session_with(settings, application_name, &TIMEOUTS).await? {
        Some(client) => Ok(client),
        None => open_session(settings, application_name).await,
    }
}

/// Whether the server, or a pooler before it, takes the time-outs.
///
/// # Errors
/// As [`pg_connection::connect`].
pub(crate) async fn accepts_timeouts(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<bool, ConnectError> {
    let opened = open_session_with(settings, application_name, &TIMEOUTS).await?;
    Ok(opened.is_some())
}
