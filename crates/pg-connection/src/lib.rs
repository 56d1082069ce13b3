//! Opens PostgreSQL sessions from the connection strings that libpq understands, with TLS by rustls.
//!
//! [`ConnectionSettings`] is that text, understood as libpq would understand it; [`connect`] opens
//! one session with it. Nothing here reads the environment, retries, logs or spawns: the caller
//! drives the [`Connection`] it gets, reports [`ConnectionSettings::warnings`] and logs errors once.
//!
//! Sections of "the manual" are those of PostgreSQL 15's.

mod connection_string;
mod error;
mod session;
mod ssl_mode;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};

pub use connection_string::{ConnectionSettings, ServerAddress};
pub use error::{ConnectError, ConnectionStringError, TlsError, describe};
pub use session::{open_session, open_session_with};
pub use ssl_mode::{SslMode, UnknownSslMode};
pub use tls::{RootCertificates, Tls, Verification, is_handshake_failure};

/// The half of a session that moves the bytes; its [`Client`] does nothing until it is polled.
///
/// A listener calls `poll_message` on it, because awaiting it throws notifications away.
/// One type for every `sslmode`, sockets included.
pub type Connection = tokio_postgres::Connection<Socket, <Tls as MakeTlsConnect<Socket>>::Stream>;

/// How many times `connect_timeout` one server may take, with all its addresses, TLS and log-in.
///
/// tokio-postgres limits only the opening of the socket, and that for each address of a name, so
/// that a server which accepts and then sends nothing would be waited for without end. Three times
/// leaves a dead IPv6 address and the IPv4 address after it their turn.
const TIMEOUTS_PER_SERVER: u32 = 3;

/// Opens one session with that `application_name`, whatever the connection string has.
///
/// Several servers are tried in their order. `allow` and `prefer` try once more without TLS where
/// the server denies the encrypted session, as libpq's `prefer` does; nothing else ever does so.
///
/// # Errors
/// [`ConnectError::Tls`] before anything is sent; otherwise the error of the last server.
pub async fn connect(
    settings: &ConnectionSettings,
    application_name: &str,
) -> Result<(Client, Connection), ConnectError> {
    let tls = settings.tls()?;
    let (first, others) = settings.addresses();
    let mut outcome = connect_to(settings, first, &tls, application_name).await;
    for address in others {
        if outcome.is_ok() {
            break;
        }
        outcome = connect_to(settings, address, &tls, application_name).await;
    }
    outcome
}

async fn connect_to(
    settings: &ConnectionSettings,
    address: &ServerAddress,
    tls: &Tls,
    application_name: &str,
) -> Result<(Client, Connection), ConnectError> {
    let server = settings.describe_address(address);
    let mut config = settings.config_for(address);
    config.application_name(application_name);

    let outcome = open(&config, tls, &server).await;
    match outcome {
        Err(ConnectError::Connect { ref source, .. })
            if config.get_ssl_mode() == tokio_postgres::config::SslMode::Prefer
                && tls::denied(source) =>
        {
            config.ssl_mode(tokio_postgres::config::SslMode::Disable);
            // The error of the encrypted session has more information than that of the second try.
            open(&config, tls, &server).await.or(outcome)
        }
        outcome => outcome,
    }
}

async fn open(
    config: &Config,
    tls: &Tls,
    server: &str,
) -> Result<(Client, Connection), ConnectError> {
    let limit = config
        .get_connect_timeout()
        .map_or(Duration::MAX, |timeout| *timeout * TIMEOUTS_PER_SERVER);
    match tokio::time::timeout(limit, config.connect(tls.clone())).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(source)) => Err(ConnectError::Connect {
            server: server.to_owned(),
            source,
        }),
        Err(_) => Err(ConnectError::Timeout {
            server: server.to_owned(),
            limit,
        }),
    }
}
