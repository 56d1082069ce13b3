//! Installs PGMQ from the SQL that its maintainers' crate carries, on servers without the extension.
//!
//! That crate's installer takes a pool of sqlx's connections, and opens a transaction of its own. This is all
//! that sqlx is used for.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgmq::PGMQueueExt;
use pgmq::errors::PgmqError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Executor};
use thiserror::Error;
use tokio_postgres::config::Host;

use pg_connection::{ConnectionSettings, RootCertificates, SslMode, TlsError, Verification};

/// How long to wait for the one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why PGMQ could not be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// TLS cannot be set up as the settings ask for.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The settings have no equivalent in sqlx, or the connection was not opened.
    #[error("cannot connect to {servers} to install PGMQ")]
    Connect {
        /// `host:port/dbname as user`.
        servers: String,
        /// The error of sqlx.
        source: sqlx::Error,
    },
    /// The installer failed; the database is as before, for all of it is one transaction.
    #[error("cannot install PGMQ from its SQL")]
    Install {
        /// The installer's error.
        source: PgmqError,
    },
}

/// Installs PGMQ in the schema `pgmq`, or brings an earlier installation of this kind up to the
/// crate's version. Not for databases that have the extension.
///
/// # Errors
/// See [`InstallError`]; nothing is left half done.
pub async fn install(settings: &ConnectionSettings) -> Result<(), InstallError> {
    // sqlx reads the same certificates, but its error does not name the file that it could not read.
    settings.tls()?;
    let pool = open(settings)
        .await
        .map_err(|source| InstallError::Connect {
            servers: settings.to_string(),
            source,
        })?;
    let installer = PGMQueueExt::new_with_pool(pool.clone()).await;
    let outcome = installer.install_sql_from_embedded().await;
    pool.close().await;
    outcome.map_err(|source| InstallError::Install { source })
}

async fn open(settings: &ConnectionSettings) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Notices about what exists already would become log lines of sqlx. PGMQ's SQL is written for the
                // server's default, which a database may have changed.
                connection
                    .execute(
                        "set client_min_messages = error; set standard_conforming_strings = on",
                    )
                    .await?;
                Ok(())
            })
        })
        .connect_with(connect_options(settings)?)
        .await
}

/// The same settings in sqlx's terms; of several servers the first.
///
/// sqlx starts from libpq's environment variables, so everything that [`ConnectionSettings`] knows
/// is set here, down to an empty password.
fn connect_options(settings: &ConnectionSettings) -> Result<PgConnectOptions, sqlx::Error> {
    let options = match settings.options() {
        // Only a URL takes them as they are, and some poolers find their tenant by them.
        Some(options) => {
            let options = utf8_percent_encode(options, NON_ALPHANUMERIC);
            format!("postgres:///?options={options}").parse()?
        }
        None => PgConnectOptions::new_without_pgpass(),
    };
    let (address, _) = settings.addresses();
    let options = options
        .port(address.port)
        .username(settings.user())
        .password(settings.password().unwrap_or_default())
        .database(settings.dbname())
        .application_name("lead-mover migrate")
        .disable_statement_logging();
    let mode = ssl_mode(settings);
    let options = match (&address.host, address.hostaddr) {
        (Host::Unix(directory), _) => {
            return Ok(options.socket(directory).ssl_mode(PgSslMode::Disable));
        }
        // sqlx knows one name only, for finding the server and for checking its certificate.
        (_, Some(address)) if !matches!(mode, PgSslMode::VerifyFull) => {
            options.host(&address.to_string())
        }
        (Host::Tcp(host), _) => options.host(host),
    };
    Ok(match settings.root_certificates() {
        Some(RootCertificates::File(path)) => options.ssl_root_cert(path),
        Some(RootCertificates::System) | None => options,
    }
    .ssl_mode(mode))
}

/// Never less than was asked for. sqlx trusts the system's authorities beside those in a file, so
/// that under `verify-ca` any certificate that anyone can buy would do: with a file the host's name
/// is checked too.
fn ssl_mode(settings: &ConnectionSettings) -> PgSslMode {
    match (settings.verification(), settings.root_certificates()) {
        (Verification::Authority, Some(RootCertificates::File(_)))
        | (Verification::AuthorityAndHost, _) => PgSslMode::VerifyFull,
        (Verification::Authority, _) => PgSslMode::VerifyCa,
        (Verification::None, _) => match settings.ssl_mode() {
            SslMode::Disable => PgSslMode::Disable,
            // sqlx takes `allow` for "never".
            SslMode::Allow | SslMode::Prefer => PgSslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => PgSslMode::Require,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> PgConnectOptions {
        connect_options(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn connects_where_the_service_does() {
        let of_tcp = options("postgres://u@h:7,other/db?options=-c%20a=b%20-c%20c=d");
        assert_eq!((of_tcp.get_host(), of_tcp.get_port()), ("h", 7));
        assert_eq!(of_tcp.get_username(), "u");
        assert_eq!(of_tcp.get_database(), Some("db"));
        assert_eq!(of_tcp.get_options(), Some("-c a=b -c c=d"));

        let of_socket = options("host=/tmp/dir port=7 user=u sslmode=require");
        assert_eq!(of_socket.get_socket(), Some(&"/tmp/dir".into()));
        assert!(matches!(of_socket.get_ssl_mode(), PgSslMode::Disable));

        assert_eq!(options("host=h hostaddr=::1").get_host(), "::1");
        assert_eq!(
            options("host=h hostaddr=::1 sslmode=verify-full").get_host(),
            "h"
        );
    }

    #[test]
    fn protects_the_connection_no_less_than_the_service_does() {
        for (text, expected) in [
            ("host=h sslmode=disable", PgSslMode::Disable),
            ("host=h sslmode=allow", PgSslMode::Prefer),
            ("host=h", PgSslMode::Prefer),
            ("host=h sslmode=require", PgSslMode::Require),
            (
                "host=h sslmode=require sslrootcert=/ca",
                PgSslMode::VerifyFull,
            ),
            (
                "host=h sslmode=verify-ca sslrootcert=/ca",
                PgSslMode::VerifyFull,
            ),
            ("host=h sslmode=verify-ca", PgSslMode::VerifyCa),
            ("host=h sslmode=verify-full", PgSslMode::VerifyFull),
        ] {
            let actual = options(text).get_ssl_mode();
            assert_eq!(format!("{actual:?}"), format!("{expected:?}"), "{text}");
        }
    }
}
