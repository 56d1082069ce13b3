//! Settings: from flags, and from the environment where a flag is missing. No other module reads the
//! environment.

mod api_token;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::timings::Timings;
use pg_connection::{ConnectionSettings, ConnectionStringError};

pub use api_token::ApiToken;

/// Which database.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// The database: a libpq URL or keyword string.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    database_url: Option<String>,
}

/// What the service connects to the database with.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// A direct or session-mode connection to listen on, where the database's is a transaction pooler;
    /// `off` to do without notifications.
    #[arg(
        long,
        env = "DATABASE_LISTEN_URL",
        hide_env_values = true,
        value_name = "URL|off"
    )]
    database_listen_url: Option<String>,

    /// Connections that move leads side by side.
    #[arg(long, env = "LEAD_MOVER_WORKERS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: u8,

    /// For tests: intervals and time-outs that are no settings, such as `heartbeat=200ms,sample=1s`.
    #[arg(long, hide = true, value_name = "NAME=DURATION,…")]
    timings: Option<Timings>,
}

/// Where the service is asked for its state.
#[derive(Debug, Args)]
pub struct HttpArgs {
    /// Where /metrics, /healthz and /readyz are served; port 0 takes a free one.
    #[arg(
        long,
        env = "LEAD_MOVER_HTTP_ADDR",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR"
    )]
    pub http_addr: SocketAddr,
}

/// How the service runs.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    #[command(flatten)]
    connections: ConnectionArgs,

    /// How far apart to look for work when nothing woke the service.
    #[arg(long, env = "LEAD_MOVER_POLL_INTERVAL", default_value = "30s", value_parser = duration)]
    poll_interval: Duration,

    #[command(flatten)]
    http: HttpArgs,

    /// The key that POST /functions/v1/process-lead-migration-queue asks for; without one there is no such
    /// address. On the command line other users of the machine can see it.
    #[arg(
        long,
        env = "LEAD_MOVER_API_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    api_token: Option<ApiToken>,

    /// How long running batches may take to finish after SIGTERM or SIGINT.
    #[arg(long, env = "LEAD_MOVER_SHUTDOWN_GRACE", default_value = "25s", value_parser = humantime::parse_duration)]
    shutdown_grace: Duration,
}

/// How log lines look.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Log lines as text or as JSON.
    #[arg(
        long,
        env = "LEAD_MOVER_LOG_FORMAT",
        default_value = "text",
        global = true
    )]
    pub log_format: LogFormat,

    /// Which log lines: a level, or tracing's filter syntax [default: info for serve, else warn]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// To be read in a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// The service's settings, checked.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// Where the leads are.
    pub database: ConnectionSettings,
    /// Where to listen for notifications; `None`: nowhere, by choice.
    pub database_listen: Option<ConnectionSettings>,
    /// Connections that move leads.
    pub workers: u8,
    /// How far apart to poll.
    pub poll_interval: Duration,
    /// Where HTTP is served.
    pub http_addr: SocketAddr,
    /// The key of the old Edge Function's address; `None`: it is not served.
    pub api_token: Option<ApiToken>,
    /// How long to wait for running batches when stopping.
    pub shutdown_grace: Duration,
    /// What the service waits for, and how long.
    pub timings: Timings,
}

/// Where to listen for notifications.
#[derive(Debug, Clone)]
pub enum ListenOn {
    /// Over the database's own connection settings.
    Database,
    /// Over others, to the same database.
    Another(Box<ConnectionSettings>),
    /// Nowhere: the service polls, by choice.
    Nothing,
}

/// A setting that cannot be used: exit status 2.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Neither the flag nor the variable is there.
    #[error("no database given: set DATABASE_URL or pass --database-url")]
    NoDatabase,
    /// It is not a connection string.
    #[error("cannot use {name}")]
    ConnectionString {
        /// Which setting.
        name: &'static str,
        /// What is wrong with it; never quotes it.
        source: ConnectionStringError,
    },
}

impl DatabaseArgs {
    /// The database's connection settings.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn settings(&self) -> Result<ConnectionSettings, ConfigError> {
        let text = self
            .database_url
            .as_deref()
            .ok_or(ConfigError::NoDatabase)?;
        connection_settings("DATABASE_URL", text)
    }
}

impl ConnectionArgs {
    /// What to wait for, and how long.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings.unwrap_or_default()
    }

    /// Where to listen.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn listen_on(&self) -> Result<ListenOn, ConfigError> {
        Ok(match self.database_listen_url.as_deref() {
            None => ListenOn::Database,
            Some("off") => ListenOn::Nothing,
            Some(text) => {
                let settings = connection_settings("DATABASE_LISTEN_URL", text)?;
                ListenOn::Another(Box::new(settings))
            }
        })
    }
}

impl ServiceArgs {
    /// The service's settings, for that database.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn settings(&self, database: ConnectionSettings) -> Result<ServiceSettings, ConfigError> {
        let database_listen = match self.connections.listen_on()? {
            ListenOn::Database => Some(database.clone()),
            ListenOn::Another(settings) => Some(*settings),
            ListenOn::Nothing => None,
        };
        Ok(ServiceSettings {
            database_listen,
            database,
            workers: self.connections.workers,
            poll_interval: self.poll_interval,
            http_addr: self.http.http_addr,
            api_token: self.api_token.clone(),
            shutdown_grace: self.shutdown_grace,
            timings: self.connections.timings(),
        })
    }
}

fn connection_settings(name: &'static str, text: &str) -> Result<ConnectionSettings, ConfigError> {
    let settings: ConnectionSettings = text
        .parse()
        .map_err(|source| ConfigError::ConnectionString { name, source })?;
    for warning in settings.warnings() {
        tracing::warn!(setting = name, "{warning}");
    }
    Ok(settings)
}

/// A duration that is long enough to be an interval.
fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than 0".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it as 30s or 2min")),
    }
}
