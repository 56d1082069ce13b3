//! The parameters of a connection string, and what becomes of each: used here, set for
//! tokio-postgres, an error because leaving it out would weaken the connection, or left out with a warning.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{
    ChannelBinding, LoadBalanceHosts, SslNegotiation, TargetSessionAttrs,
};

use super::{keywords, url};
use crate::error::ConnectionStringError;
use crate::ssl_mode::SslMode;
use crate::tls::RootCertificates;

/// For how long, in seconds and tries, a connection to a silent machine may look alive. Linux
/// would wait two hours, and a listener would receive nothing all that time.
const KEEPALIVES_IDLE_DEFAULT: Duration = Duration::from_secs(30);
const KEEPALIVES_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);
const KEEPALIVES_RETRIES_DEFAULT: u32 = 3;

const TCP_USER_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Parameters of libpq (manual, section 34.1.2) that ask for protection or for other settings,
/// beside those that begin with `ssl`.
const NOT_TO_BE_LEFT_OUT: [&str; 4] = ["require_auth", "requirepeer", "service", "servicefile"];

/// Those that begin with `ssl` and don't protect anything.
const HARMLESS_SSL: [&str; 3] = ["sslcompression", "sslkeylogfile", "sslsni"];

/// Names and decoded values; where a name comes twice the last one counts, as in libpq.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a URL or a keyword string.
    pub(super) fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let text = without_quotes(text.trim());
        if text.is_empty() {
            return Err(ConnectionStringError::Empty);
        }
        let upper_case = text.to_ascii_uppercase();
        if upper_case.contains("[YOUR-") || upper_case.contains("%5BYOUR-") {
            return Err(ConnectionStringError::Placeholder);
        }
        match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => url::parameters(rest),
            Some(("http" | "https", _)) => Err(ConnectionStringError::WebAddress),
            Some((scheme, _)) if begins_with_variable(scheme) => {
                Err(ConnectionStringError::VariableName)
            }
            Some((scheme, _)) if !scheme.contains('=') => Err(ConnectionStringError::UnknownScheme),
            // The password of a keyword string may hold a `://` too.
            _ => keywords::parameters(text),
        }
        .map(Self)
    }

    /// Takes one parameter out; an empty value is none, as in libpq.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn root_certificates(&mut self) -> Option<RootCertificates> {
        self.take("sslrootcert").map(|value| match &*value {
            "system" => RootCertificates::System,
            _ => RootCertificates::File(PathBuf::from(value)),
        })
    }

    pub(super) fn ssl_mode(
        &mut self,
        root_certificates: Option<&RootCertificates>,
    ) -> Result<SslMode, ConnectionStringError> {
        // libpq takes this over from JDBC; any other value of `ssl` is an error further below.
        let asks_for_tls = self.0.get("ssl").is_some_and(|value| value == "true");
        if asks_for_tls {
            self.0.remove("ssl");
        }
        let mode = match self.0.remove("sslmode") {
            Some(value) => value.parse()?,
            None if root_certificates == Some(&RootCertificates::System) => SslMode::VerifyFull,
            None => SslMode::Prefer,
        };
        Ok(if asks_for_tls {
            mode.max(SslMode::Require)
        } else {
            mode
        })
    }

    /// Milliseconds; zero leaves it to the system.
    pub(super) fn tcp_user_timeout(&mut self) -> Result<Duration, ConnectionStringError> {
        let name = "tcp_user_timeout";
        self.take(name)
            .map_or(Ok(TCP_USER_TIMEOUT_DEFAULT), |value| {
                let milliseconds = value.parse().map_err(|_| invalid(name))?;
                Ok(Duration::from_millis(milliseconds))
            })
    }

    /// What is left, as tokio-postgres has it, and a warning for each parameter that nothing understands.
    pub(super) fn into_config(mut self) -> Result<(Config, Vec<String>), ConnectionStringError> {
        self.0.retain(|_, value| !value.is_empty());
        // Every session bears the name of the part of the service that opened it.
        self.take("application_name");
        self.take("fallback_application_name");
        let mut config = Config::new();
        if !self.has("keepalives_idle") {
            config.keepalives_idle(KEEPALIVES_IDLE_DEFAULT);
        }
        if !self.has("keepalives_interval") {
            config.keepalives_interval(KEEPALIVES_INTERVAL_DEFAULT);
        }
        if !self.has("keepalives_count") && !self.has("keepalives_retries") {
            config.keepalives_retries(KEEPALIVES_RETRIES_DEFAULT);
        }
        let mut warnings = Vec::new();
        for (name, value) in self.0 {
            if set(&mut config, &name, &value)? {
                continue;
            }
            let key = presentable(&name).to_owned();
            if must_not_be_left_out(&name, &value) {
                return Err(ConnectionStringError::Unsupported { key });
            }
            warnings.push(format!("the connection parameter {key} is not used"));
        }
        Ok((config, warnings))
    }
}

/// Sets one parameter of libpq's (manual, section 34.1.2); `false` where it is none of those that are used.
fn set(config: &mut Config, name: &str, value: &str) -> Result<bool, ConnectionStringError> {
    let unknown = || invalid(name);
    match name {
        "options" => config.options(value),
        "channel_binding" => config.channel_binding(match value {
            "disable" => ChannelBinding::Disable,
            "prefer" => ChannelBinding::Prefer,
            "require" => ChannelBinding::Require,
            _ => return Err(unknown()),
        }),
        "load_balance_hosts" => config.load_balance_hosts(match value {
            "disable" => LoadBalanceHosts::Disable,
            "random" => LoadBalanceHosts::Random,
            _ => return Err(unknown()),
        }),
        "sslnegotiation" => config.ssl_negotiation(match value {
            "postgres" => SslNegotiation::Postgres,
            "direct" => SslNegotiation::Direct,
            _ => return Err(unknown()),
        }),
        "target_session_attrs" => config.target_session_attrs(match value {
            "any" => TargetSessionAttrs::Any,
            "read-write" => TargetSessionAttrs::ReadWrite,
            "read-only" => TargetSessionAttrs::ReadOnly,
            _ => return Err(unknown()),
        }),
        "keepalives" => config.keepalives(number::<u64>(name, value)? != 0),
        "keepalives_count" | "keepalives_retries" => {
            config.keepalives_retries(number(name, value)?)
        }
        "connect_timeout" => positive(config, name, value, Config::connect_timeout)?,
        "keepalives_idle" => positive(config, name, value, Config::keepalives_idle)?,
        "keepalives_interval" => positive(config, name, value, Config::keepalives_interval)?,
        _ => return Ok(false),
    };
    Ok(true)
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, ConnectionStringError> {
    value.trim().parse().map_err(|_| invalid(name))
}

/// Sets a number of seconds; zero or less leaves it to the system, as in libpq.
fn positive<'config>(
    config: &'config mut Config,
    name: &str,
    value: &str,
    set: impl FnOnce(&'config mut Config, Duration) -> &'config mut Config,
) -> Result<&'config mut Config, ConnectionStringError> {
    let seconds: i64 = number(name, value)?;
    Ok(match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => set(config, Duration::from_secs(seconds)),
        _ => config,
    })
}

/// Files with environment variables are often written with quotes, and not every program that
/// reads them takes these off.
fn without_quotes(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

/// `DATABASE_URL=postgres`, as copied out of a file with environment variables.
fn begins_with_variable(scheme: &str) -> bool {
    scheme.split_once('=').is_some_and(|(name, _)| {
        let is_upper_case = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.chars().all(is_upper_case)
    })
}

fn must_not_be_left_out(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_ssl = name.starts_with("ssl") && !HARMLESS_SSL.contains(&&*name);
    is_ssl || NOT_TO_BE_LEFT_OUT.contains(&&*name) || (name == "gssencmode" && value == "require")
}

fn invalid(key: &str) -> ConnectionStringError {
    let key = key.to_owned();
    ConnectionStringError::Value { key }
}

/// A parameter's name as it may be shown. What does not look like a name can be a part of a
/// password that was not quoted or encoded, and is not shown.
fn presentable(name: &str) -> &str {
    let is_name = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if is_name { name } else { "(no readable name)" }
}
