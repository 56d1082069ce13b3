//! What can be done about a session that was not opened.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use nix::errno::Errno;
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::Host;

use super::finding::Finding;
use pg_connection::{ConnectError, ConnectionSettings, ServerAddress};

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a session was not opened with `setting`, and what to do about it.
pub(super) async fn of(
    error: &ConnectError,
    setting: &str,
    settings: &ConnectionSettings,
) -> Finding {
    let (first, others) = settings.addresses();
    // The error is that of the last server.
    let addresses = addresses_of(others.last().unwrap_or(first)).await;
    Finding::failure(
        pg_connection::describe(error),
        advice(error, setting, addresses.as_deref()),
    )
}

/// The server's IP addresses; none of a Unix socket, `None` where the name is not known.
async fn addresses_of(address: &ServerAddress) -> Option<Vec<IpAddr>> {
    match (&address.host, address.hostaddr) {
        (_, Some(ip)) => Some(vec![ip]),
        (Host::Unix(_), None) => Some(Vec::new()),
        (Host::Tcp(name), None) => {
            let lookup = lookup_host((name.as_str(), address.port));
            let found = timeout(LOOKUP_TIMEOUT, lookup).await.ok()?.ok()?;
            Some(found.map(|address| address.ip()).collect())
        }
    }
}

fn advice(error: &ConnectError, setting: &str, addresses: Option<&[IpAddr]>) -> String {
    let source = match error {
        ConnectError::Tls(_) => return format!("fix sslrootcert in {setting}"),
        ConnectError::Timeout { .. } => return no_answer_advice(setting),
        ConnectError::Connect { source, .. } => source,
    };
    if let Some(code) = source.code() {
        return advice_for_sqlstate(code.code(), setting);
    }
    let text = pg_connection::describe(source);
    if text.contains("does not support TLS") {
        return format!(
            "the server offers no TLS: switch it on there, or, in a network of your own, put sslmode=prefer into {setting}"
        );
    }
    let Some(error) = io_error(source) else {
        return format!("see whether {setting} leads to a PostgreSQL server");
    };
    if pg_connection::is_handshake_failure(source) {
        return format!(
            "give the certificate of the server's authority as sslrootcert=FILE in {setting} \
             (Supabase: Database Settings, SSL Configuration), and its very name as the host"
        );
    }
    let Some(addresses) = addresses else {
        return format!(
            "no such host: correct its name in {setting} (a paused Supabase project has none either)"
        );
    };
    if is_without_ipv6(addresses, error) {
        return format!(
            "the host has IPv6 addresses only, and this machine no way to them: put the session pooler's \
             address into {setting} (Supabase: aws-….pooler.supabase.com, port 5432), or add the IPv4 add-on"
        );
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            format!("start the server, or correct the host and port in {setting}")
        }
        _ => no_answer_advice(setting),
    }
}

fn no_answer_advice(setting: &str) -> String {
    format!(
        "correct the host and port in {setting}, or let this machine through what lies between: \
         a firewall, or the network restrictions of the server"
    )
}

/// By the SQLSTATE of the server (PostgreSQL manual, appendix A).
fn advice_for_sqlstate(code: &str, setting: &str) -> String {
    match code {
        "28P01" => format!(
            "correct the user and password in {setting} (in a URL, special characters are percent-encoded)"
        ),
        "3D000" => format!("correct the database's name in {setting}, or create the database"),
        "28000" => format!(
            "correct the user in {setting}, or let them in: a line of the server's pg_hba.conf, the right to log in, \
             and sslmode=require where only TLS is let in"
        ),
        "42501" => "grant this user the right to connect to the database".to_owned(),
        "53300" => "end connections that are not needed, or allow more: max_connections, and the limits of the role and database".to_owned(),
        "57P03" => "wait until the server has started".to_owned(),
        // Supavisor's "Tenant or user not found".
        "XX000" => format!(
            "see whether the user in {setting} is the pooler's: on Supabase it is called postgres.PROJECT"
        ),
        _ => format!("see the server's log, and whether {setting} is right"),
    }
}

/// Whether what is missing is a way for IPv6, and not the server.
fn is_without_ipv6(addresses: &[IpAddr], error: &io::Error) -> bool {
    let no_way = matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::TimedOut
    ) || error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32);
    no_way && !addresses.is_empty() && addresses.iter().all(IpAddr::is_ipv6)
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    fn os_error(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno as i32)
    }

    #[test]
    fn a_host_with_ipv6_only_is_told_from_a_server_that_is_down() {
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        for errno in [
            Errno::ENETUNREACH,
            Errno::EHOSTUNREACH,
            Errno::EADDRNOTAVAIL,
            Errno::EAFNOSUPPORT,
            Errno::ETIMEDOUT,
        ] {
            let error = os_error(errno);
            assert!(is_without_ipv6(&[v6], &error), "{errno}");
            assert!(is_without_ipv6(&[v6, v6], &error), "{errno}");
            assert!(!is_without_ipv6(&[v6, v4], &error), "{errno}");
            assert!(!is_without_ipv6(&[v4], &error), "{errno}");
            assert!(!is_without_ipv6(&[], &error), "a Unix socket");
        }
        assert!(!is_without_ipv6(&[v6], &os_error(Errno::ECONNREFUSED)));
        // The error of tokio-postgres when `connect_timeout` is over.
        assert!(is_without_ipv6(
            &[v6],
            &io::Error::new(io::ErrorKind::TimedOut, "connection timed out")
        ));
    }

    #[test]
    fn each_sqlstate_has_its_advice() {
        for (code, expected) in [
            ("28P01", "correct the user and password in DATABASE_URL"),
            ("3D000", "correct the database's name in DATABASE_URL"),
            ("28000", "pg_hba.conf"),
            ("42501", "right to connect"),
            ("53300", "max_connections"),
            ("57P03", "wait until"),
            ("XX000", "postgres.PROJECT"),
            ("55000", "see the server's log"),
        ] {
            let advice = advice_for_sqlstate(code, "DATABASE_URL");
            assert!(advice.contains(expected), "{code}: {advice}");
        }
    }

    async fn advice_on(text: &str) -> String {
        let settings: ConnectionSettings = text.parse().unwrap();
        let error = pg_connection::connect(&settings, "test")
            .await
            .err()
            .expect("no session");
        let finding = of(&error, "DATABASE_URL", &settings).await;
        finding.advice.expect("something to do")
    }

    #[tokio::test]
    async fn a_server_without_tls_is_not_taken_for_one_that_is_down() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.read_exact(&mut [0; 8]).await.unwrap();
            client.write_all(b"N").await.unwrap();
        });

        let advice = advice_on(&format!(
            "host=127.0.0.1 port={port} user=u sslmode=require"
        ))
        .await;

        assert!(advice.starts_with("the server offers no TLS"), "{advice}");
    }

    #[tokio::test]
    async fn a_certificate_file_that_is_not_there_is_what_has_to_be_fixed() {
        let advice =
            advice_on("host=127.0.0.1 user=u sslmode=verify-full sslrootcert=/none/there").await;

        assert_eq!(advice, "fix sslrootcert in DATABASE_URL");
    }

    #[tokio::test]
    async fn a_socket_that_is_not_there_is_a_server_to_be_started() {
        let advice = advice_on("host=/none/there user=u").await;

        assert_eq!(
            advice,
            "start the server, or correct the host and port in DATABASE_URL"
        );
    }
}
