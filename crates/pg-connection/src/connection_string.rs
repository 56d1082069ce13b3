//! Connection strings, understood the way libpq understands them
//! (PostgreSQL manual, section 34.1 "Database Connection Control Functions").

mod addresses;
mod keywords;
mod parameters;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;
use std::iter;
use std::str::FromStr;
use std::time::Duration;

use nix::unistd::{User, geteuid};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslNegotiation};

pub use addresses::ServerAddress;
use parameters::Parameters;

use super::error::{ConnectionStringError, TlsError};
use super::ssl_mode::SslMode;
use super::tls::{self, RootCertificates, Tls, Verification};

const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// A connection string, understood: where the servers are, who logs in to which database, and how
/// well the connection has to be protected.
///
/// `Debug` and `Display` are `host:port/dbname as user`; the password is in neither.
#[derive(Clone)]
pub struct ConnectionSettings {
    /// All but the server and what depends on it.
    config: Config,
    first: ServerAddress,
    others: Vec<ServerAddress>,
    user: String,
    dbname: String,
    ssl_mode: SslMode,
    root_certificates: Option<RootCertificates>,
    warnings: Vec<String>,
}

impl ConnectionSettings {
    /// The first server, and the ones to try after it, in the order of the connection string.
    #[must_use]
    pub fn addresses(&self) -> (&ServerAddress, &[ServerAddress]) {
        (&self.first, &self.others)
    }

    /// Who logs in; the operating system's user where the string names none, as in libpq.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database; it is called like the user where the string names none, as in libpq.
    #[must_use]
    pub fn dbname(&self) -> &str {
        &self.dbname
    }

    /// What was asked for; `prefer` unless the string has another, and `verify-full` where it
    /// has `sslrootcert=system` only, as in libpq.
    #[must_use]
    pub fn ssl_mode(&self) -> SslMode {
        self.ssl_mode
    }

    /// How much of the server's certificate is checked; nothing where there are Unix sockets only.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let mut addresses = iter::once(&self.first).chain(&self.others);
        if addresses.all(ServerAddress::is_unix_socket) {
            return Verification::None;
        }
        Verification::of(self.ssl_mode, self.root_certificates.is_some())
    }

    /// The password, decoded; `None` also where it is no UTF-8.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.config
            .get_password()
            .and_then(|password| std::str::from_utf8(password).ok())
    }

    /// `sslrootcert`: whose certificates to trust.
    #[must_use]
    pub fn root_certificates(&self) -> Option<&RootCertificates> {
        self.root_certificates.as_ref()
    }

    /// Command-line options of the server's process, such as `-c name=value`.
    #[must_use]
    pub fn options(&self) -> Option<&str> {
        self.config.get_options()
    }

    /// One sentence for each parameter that is left out of account; no sentence holds a value.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The TLS side of a session, also for `CancelToken::cancel_query`.
    ///
    /// Certificates are read anew at each call, so that a replaced file counts from the next
    /// session on.
    ///
    /// # Errors
    /// Where certificates are to be checked and the ones to check against are unusable.
    pub fn tls(&self) -> Result<Tls, TlsError> {
        let direct = self.config.get_ssl_negotiation() == SslNegotiation::Direct;
        tls::connector(self.verification(), self.root_certificates.as_ref(), direct)
    }

    /// The settings of a session with one server. Unix sockets never use TLS (manual, 34.1.2).
    pub(super) fn config_for(&self, address: &ServerAddress) -> Config {
        let mut config = self.config.clone();
        config.port(address.port);
        if let Some(hostaddr) = address.hostaddr {
            config.hostaddr(hostaddr);
        }
        match &address.host {
            Host::Tcp(host) => config.host(host).ssl_mode(self.ssl_mode.into()),
            Host::Unix(directory) => config
                .host_path(directory)
                .ssl_mode(SslMode::Disable.into()),
        };
        config
    }

    /// The same, with settings for the server's session that its own `options` win over.
    pub(super) fn with_defaults(&self, defaults: &[(&str, &str)]) -> Self {
        let mut settings = self.clone();
        let mut options: Vec<String> = defaults
            .iter()
            .map(|(name, value)| format!("-c {name}={value}"))
            .collect();
        // Of two values for one setting the server takes the last.
        options.extend(self.config.get_options().map(ToOwned::to_owned));
        settings.config.options(options.join(" "));
        settings
    }

    /// `host:port/dbname as user` of one of the servers.
    pub(super) fn describe_address(&self, address: &ServerAddress) -> String {
        format!("{address}/{} as {}", self.dbname, self.user)
    }

    fn from_parameters(mut parameters: Parameters) -> Result<Self, ConnectionStringError> {
        let root_certificates = parameters.root_certificates();
        let ssl_mode = parameters.ssl_mode(root_certificates.as_ref())?;
        let (first, others) = addresses::addresses(&mut parameters)?;
        let user = match parameters.take("user") {
            Some(user) => user,
            None => operating_system_user()?,
        };
        let password = parameters.take("password");
        let dbname = parameters.take("dbname").unwrap_or_else(|| user.clone());
        let tcp_user_timeout = parameters.tcp_user_timeout()?;
        let (mut config, mut warnings) = parameters.into_config()?;

        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT_DEFAULT);
        }
        config.tcp_user_timeout(tcp_user_timeout);
        config.user(&user).dbname(&dbname);
        if let Some(password) = password {
            config.password(password);
        }
        if root_certificates.is_some() && !ssl_mode.requires_tls() {
            warnings.push(format!(
                "sslrootcert has no effect: sslmode={ssl_mode} checks no certificate, \
                 sslmode=verify-full does"
            ));
        }
        Ok(Self {
            config,
            first,
            others,
            user,
            dbname,
            ssl_mode,
            root_certificates,
            warnings,
        })
    }
}

impl FromStr for ConnectionSettings {
    type Err = ConnectionStringError;

    /// # Errors
    /// Where libpq would not understand the text, or the service cannot do what it asks for. No
    /// error shows any of its values.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_parameters(Parameters::parse(text)?)
    }
}

/// `host:port,host:port/dbname as user`.
impl fmt::Display for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        for address in &self.others {
            write!(f, ",{address}")?;
        }
        write!(f, "/{} as {}", self.dbname, self.user)
    }
}

/// The same as `Display`, so that no log line and no panic shows a password.
impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionSettings({self})")
    }
}

fn operating_system_user() -> Result<String, ConnectionStringError> {
    let user = User::from_uid(geteuid()).map_err(|source| ConnectionStringError::User {
        source: Some(source),
    })?;
    user.map(|user| user.name)
        .ok_or(ConnectionStringError::User { source: None })
}
