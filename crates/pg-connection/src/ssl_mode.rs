//! `sslmode`, as libpq has it (the manual, 34.19.1).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// `sslmode`, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// The same as `prefer` here.
    Allow,
    /// TLS where the server offers it, plain text where not; certificates are not checked.
    Prefer,
    /// TLS or nothing; the certificate is checked only if `sslrootcert` is given.
    Require,
    /// TLS with a certificate of a trusted authority, for whichever host.
    VerifyCa,
    /// TLS with a certificate of a trusted authority for the very host that was asked for.
    VerifyFull,
}

impl SslMode {
    /// The names in connection strings, in the order of the variants.
    pub const NAMES: [&'static str; 6] = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];

    const ALL: [Self; 6] = [
        Self::Disable,
        Self::Allow,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    /// Whether plain text is out of the question.
    #[must_use]
    pub fn requires_tls(self) -> bool {
        self >= Self::Require
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES[*self as usize])
    }
}

impl FromStr for SslMode {
    type Err = UnknownSslMode;

    /// # Errors
    /// Any other text, also one in capitals; libpq is as strict.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let position = Self::NAMES.iter().position(|name| *name == text);
        position
            .map(|position| Self::ALL[position])
            .ok_or(UnknownSslMode)
    }
}

/// What tokio-postgres has to know; how certificates are checked is up to [`Tls`](super::Tls).
impl From<SslMode> for tokio_postgres::config::SslMode {
    fn from(mode: SslMode) -> Self {
        match mode {
            SslMode::Disable => Self::Disable,
            SslMode::Allow | SslMode::Prefer => Self::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Self::Require,
        }
    }
}

/// An `sslmode` that libpq does not know either.
#[derive(Clone, Copy, Debug, Error)]
#[error("sslmode must be one of {}", SslMode::NAMES.join(", "))]
pub struct UnknownSslMode;
