//! Where the servers are: the lists `host`, `hostaddr` and `port` put together
//! (manual, section 34.1.1.3).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use tokio_postgres::config::Host;

use super::parameters::Parameters;
use crate::error::ConnectionStringError;

const DEFAULT_PORT: u16 = 5432;

/// Where Debian's packages and where PostgreSQL itself put the socket, libpq's default host.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// One server that a connection string names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// The host name (checked by `verify-full`), or the directory of a Unix socket.
    pub host: Host,
    /// The address to use instead of looking the host name up.
    pub hostaddr: Option<IpAddr>,
    /// The TCP port, or the number in the socket's name.
    pub port: u16,
}

impl ServerAddress {
    /// Whether it is a Unix socket of this machine, which never has TLS.
    #[must_use]
    pub fn is_unix_socket(&self) -> bool {
        matches!(self.host, Host::Unix(_))
    }
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Unix(directory) => write!(f, "{}", directory.display())?,
            Host::Tcp(host) if host.parse::<Ipv6Addr>().is_ok() => write!(f, "[{host}]")?,
            Host::Tcp(host) => f.write_str(host)?,
        }
        write!(f, ":{}", self.port)
    }
}

/// The first server and the others, in the order to try them.
pub(super) fn addresses(
    parameters: &mut Parameters,
) -> Result<(ServerAddress, Vec<ServerAddress>), ConnectionStringError> {
    let hosts = list(parameters.take("host"));
    let hostaddrs = list(parameters.take("hostaddr"));
    let ports = list(parameters.take("port"));
    let count = if hostaddrs.is_empty() {
        hosts.len().max(1)
    } else {
        hostaddrs.len()
    };
    if !hosts.is_empty() && hosts.len() != count {
        return Err(ConnectionStringError::Count {
            what: "hostaddr",
            given: count,
            hosts: hosts.len(),
        });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(ConnectionStringError::Count {
            what: "port",
            given: ports.len(),
            hosts: count,
        });
    }

    let address = |index: usize| {
        let port = port(ports.get(index).or(ports.first()))?;
        let hostaddr = hostaddr(hostaddrs.get(index))?;
        let host = host(hosts.get(index), hostaddr, port);
        Ok(ServerAddress {
            host,
            hostaddr,
            port,
        })
    };
    let others = (1..count)
        .map(address)
        .collect::<Result<_, ConnectionStringError>>()?;
    Ok((address(0)?, others))
}

fn list(value: Option<String>) -> Vec<String> {
    value.map_or_else(Vec::new, |value| {
        value
            .split(',')
            .map(|item| item.trim().to_owned())
            .collect()
    })
}

fn port(text: Option<&String>) -> Result<u16, ConnectionStringError> {
    match text.map(String::as_str) {
        None | Some("") => Ok(DEFAULT_PORT),
        Some(text) => text
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or(ConnectionStringError::Port),
    }
}

fn hostaddr(text: Option<&String>) -> Result<Option<IpAddr>, ConnectionStringError> {
    match text.map(String::as_str) {
        None | Some("") => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| ConnectionStringError::HostAddress),
    }
}

/// Where both are given the address is what is connected to, and the name is for TLS. An address
/// alone is its own name, for TLS needs one.
fn host(name: Option<&String>, hostaddr: Option<IpAddr>, port: u16) -> Host {
    match (name.map(String::as_str), hostaddr) {
        (None | Some(""), None) => Host::Unix(default_socket_directory(port)),
        (None | Some(""), Some(address)) => Host::Tcp(address.to_string()),
        (Some(name), None) if name.starts_with('/') => Host::Unix(PathBuf::from(name)),
        (Some(name), Some(address)) if name.starts_with('/') => Host::Tcp(address.to_string()),
        (Some(name), _) => Host::Tcp(name.to_owned()),
    }
}

/// The first directory with this server's socket, or, for the error to name, the first.
fn default_socket_directory(port: u16) -> PathBuf {
    let [preferred, _] = SOCKET_DIRECTORIES;
    let socket = format!(".s.PGSQL.{port}");
    let found = SOCKET_DIRECTORIES
        .iter()
        .find(|directory| Path::new(directory).join(&socket).exists());
    PathBuf::from(found.unwrap_or(&preferred))
}
