//! What can go wrong on the way to a session.
//!
//! Each `Display` is the context on one line and never the cause, which is in `source()`;
//! [`describe`] writes the whole chain. No variant holds any part of a connection string beyond
//! the names of its parameters, a path and the server's address: no text here can show a password.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::ssl_mode::UnknownSslMode;

/// Why a session could not be opened.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// TLS could not be set up; nothing was sent to the server.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server was not reached, denied the session, or is not what the settings ask for.
    #[error("cannot connect to {server}")]
    Connect {
        /// `host:port/dbname as user`.
        server: String,
        /// The error of tokio-postgres, with the server's own error in its `source()`.
        source: tokio_postgres::Error,
    },
    /// The server took the connection and then did not answer in time.
    #[error("cannot connect to {server}: no session within {} seconds", limit.as_secs())]
    Timeout {
        /// `host:port/dbname as user`.
        server: String,
        /// How long was waited: three times `connect_timeout`.
        limit: Duration,
    },
}

/// Why a connection string was not understood.
#[derive(Debug, Error)]
pub enum ConnectionStringError {
    /// Nothing, or white space only.
    #[error("the connection string is empty")]
    Empty,
    /// `http://` or `https://`: mostly a Supabase project's address.
    #[error(
        "this is a web address, not a database's: a connection string begins with postgres:// \
         (Supabase shows it under \"Connect\")"
    )]
    WebAddress,
    /// A scheme of neither PostgreSQL nor the web.
    #[error(
        "a connection string begins with postgres:// or postgresql://, or is a list of keyword=value"
    )]
    UnknownScheme,
    /// `DATABASE_URL=postgres://…`.
    #[error("the connection string begins with a variable's name: it is only what follows the =")]
    VariableName,
    /// Supabase's `[YOUR-PASSWORD]` or another such placeholder.
    #[error(
        "the connection string still holds a placeholder such as [YOUR-PASSWORD]: put the real value there, without the brackets"
    )]
    Placeholder,
    /// An `@` where none can be, so that the password has likely not been percent-encoded.
    #[error(
        "the URL is ambiguous: special characters in the user name and password must be \
         percent-encoded (@ as %40, / as %2F, # as %23, : as %3A, ? as %3F, % as %25)"
    )]
    UnencodedCharacter,
    /// A `%` without two hexadecimal digits, an encoded zero byte, or bytes that are no UTF-8.
    #[error("the URL has an invalid percent-encoding; a percent sign itself is written %25")]
    PercentEncoding,
    /// `[` without `]`, or something other than a port after it.
    #[error("an IPv6 address in the URL is written [address] or [address]:port")]
    BracketedAddress,
    /// A parameter in the URL without `=`.
    #[error("each parameter after the ? of the URL is written name=value")]
    UrlParameter,
    /// Neither a URL nor `keyword=value` throughout.
    #[error(
        "neither a postgres:// URL nor a list of keyword=value; a value with spaces is written in single quotes"
    )]
    KeywordSyntax,
    /// A quoted value without its end.
    #[error("a quoted value in the connection string has no closing quote")]
    UnterminatedQuote,
    /// A port that is no number from 1 to 65535.
    #[error(
        "the port is not a number from 1 to 65535; in a URL, a special character in the password \
         that is not percent-encoded can also be the reason"
    )]
    Port,
    /// A `hostaddr` that is no IP address.
    #[error("hostaddr is not an IP address")]
    HostAddress,
    /// Lists of different lengths; the manual's section 34.1.1.3 has the rule.
    #[error("{what}: {given} given for {hosts} hosts")]
    Count {
        /// `hostaddr` or `port`.
        what: &'static str,
        /// How many of them.
        given: usize,
        /// How many hosts.
        hosts: usize,
    },
    /// An `sslmode` that libpq does not know either.
    #[error(transparent)]
    SslMode(#[from] UnknownSslMode),
    /// A setting that protects the connection, and that must not be passed over in silence.
    #[error(
        "{key} is not supported, and leaving it out would make the connection less safe than was asked for"
    )]
    Unsupported {
        /// Its name.
        key: String,
    },
    /// A value that is not one of its parameter's.
    #[error("{key} has an invalid value")]
    Value {
        /// The parameter's name.
        key: String,
    },
    /// No user is named, and the operating system knows no name for this process's user.
    #[error("the connection string names no user, and the operating system's user has no name")]
    User {
        /// The system's error, if it is one.
        source: Option<nix::Error>,
    },
}

/// Why TLS could not be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file of `sslrootcert` cannot be read, or is damaged.
    #[error("cannot read the root certificates in {}", path.display())]
    ReadRoots {
        /// The file.
        path: PathBuf,
        /// The system's error, or the place in the file.
        source: rustls::pki_types::pem::Error,
    },
    /// The file of `sslrootcert` holds something that is no certificate.
    #[error("cannot use a root certificate in {}", path.display())]
    ParseRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The file of `sslrootcert` holds no certificate.
    #[error("{} holds no root certificate in PEM form", path.display())]
    NoRoots {
        /// The file.
        path: PathBuf,
    },
    /// The system has no root certificates.
    #[error("the system has no root certificates: name a file in sslrootcert")]
    NoSystemRoots {
        /// The first problem met while looking for them.
        source: Option<rustls_native_certs::Error>,
    },
    /// rustls does not accept its own defaults; not seen in practice.
    #[error("cannot set up TLS")]
    Setup {
        /// Its error.
        source: rustls::Error,
    },
}

/// The error and its causes on one line, the way they are logged.
///
/// A server's error reads `password authentication failed for user "x" (28P01)`, with its SQLSTATE
/// (manual, appendix A) and without tokio-postgres's `db error:`. A cause that the text before it
/// already ends with is not repeated.
#[must_use]
pub fn describe(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let database_error = error
            .downcast_ref::<tokio_postgres::Error>()
            .and_then(tokio_postgres::Error::as_db_error);
        let part = match database_error {
            Some(error) => format!("{} ({})", error.message(), error.code().code()),
            None => error.to_string(),
        };
        let part = part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            text = part;
        } else if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        // What is below a database error is the same error again.
        next = database_error.map_or_else(|| error.source(), |_| None);
    }
    text
}
