//! PGMQ from the SQL that the `pgmq` crate carries, for servers without the extension.
//!
//! Its installer wants one of sqlx's connections, and that is all sqlx is here for.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgmq::PGMQueueExt;
use pgmq::errors::PgmqError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Executor};
use thiserror::Error;
use tokio_postgres::config::Host;

use crate::db::{ConnectionSettings, RootCertificates, SslMode, Verification};

/// How long to wait for the one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why PGMQ could not be installed.
#[derive(Debug, Error)]
pub(crate) enum EmbeddedPgmqError {
    /// The settings cannot be said in sqlx's terms, or the connection was not opened.
    #[error("cannot connect to {settings} to install PGMQ")]
    Connect {
        /// `host:port/dbname as user`.
        settings: ConnectionSettings,
        /// What sqlx says.
        source: sqlx::Error,
    },
    /// The installer failed; the database is as before, for all of it is one transaction.
    #[error("cannot install PGMQ from its SQL")]
    Install {
        /// What the installer says.
        source: PgmqError,
    },
}

/// Installs PGMQ in the schema `pgmq`, or brings an earlier installation of this kind up to the
/// crate's version. Not for databases that have the extension.
///
/// # Errors
/// See [`EmbeddedPgmqError`]; nothing is left half done.
pub(crate) async fn install(settings: &ConnectionSettings) -> Result<(), EmbeddedPgmqError> {
    let pool = open(settings)
        .await
        .map_err(|source| EmbeddedPgmqError::Connect {
            settings: settings.clone(),
            source,
        })?;
    let installer = PGMQueueExt::new_with_pool(pool.clone()).await;
    let outcome = installer.install_sql_from_embedded().await;
    pool.close().await;
    outcome.map_err(|source| EmbeddedPgmqError::Install { source })
}

async fn open(settings: &ConnectionSettings) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Notices about what exists already would become log lines of sqlx.
                connection
                    .execute("set client_min_messages = error")
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
        // Only a URL takes them as they are, and some poolers tell their tenants by them.
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
    Ok(match (&address.host, address.hostaddr) {
        (Host::Unix(directory), _) => options.socket(directory).ssl_mode(PgSslMode::Disable),
        (Host::Tcp(host), None) => with_tls(options.host(host), settings),
        // sqlx has one name for the address and for the certificate's check.
        (Host::Tcp(_), Some(address))
            if settings.verification() != Verification::AuthorityAndHost =>
        {
            with_tls(options.host(&address.to_string()), settings)
        }
        (Host::Tcp(host), Some(_)) => with_tls(options.host(host), settings),
    })
}

/// Never less than asked for. sqlx trusts the system's authorities beside those in the file, so
/// that under `verify-ca` with a file any certificate bought for any host would do: the host's
/// name is checked too there.
fn with_tls(options: PgConnectOptions, settings: &ConnectionSettings) -> PgConnectOptions {
    let options = options.ssl_mode(match (settings.verification(), settings.ssl_mode()) {
        (Verification::AuthorityAndHost, _) => PgSslMode::VerifyFull,
        (Verification::Authority, _) => match settings.root_certificates() {
            Some(RootCertificates::File(_)) => PgSslMode::VerifyFull,
            Some(RootCertificates::System) | None => PgSslMode::VerifyCa,
        },
        (Verification::None, SslMode::Disable) => PgSslMode::Disable,
        // sqlx takes `allow` for "never".
        (Verification::None, SslMode::Allow | SslMode::Prefer) => PgSslMode::Prefer,
        (Verification::None, _) => PgSslMode::Require,
    });
    match settings.root_certificates() {
        Some(RootCertificates::File(path)) => options.ssl_root_cert(path),
        Some(RootCertificates::System) | None => options,
    }
}
