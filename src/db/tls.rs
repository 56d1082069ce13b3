//! How well a connection is protected: `sslmode` and `sslrootcert` as in libpq (manual, section
//! 34.19.1), on rustls with the `ring` provider.
//!
//! Three differences. Where libpq falls back on `~/.postgresql/root.crt`, the system's root
//! certificates are used. `allow` tries TLS first, as `prefer` does. And where a certificate is to be
//! checked, rustls wants one of version 3 with the host among its alternative names, and signed by
//! an authority rather than being in `sslrootcert` itself with the mark of an authority.

mod verifier;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{ConnectionStringError, TlsError};
use verifier::{AnyCertificate, AnyHostName};

/// What tokio-postgres is given to open the TLS side of a session; cheap to clone.
pub type Tls = MakeRustlsConnect;

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
    type Err = ConnectionStringError;

    /// # Errors
    /// Any other text, also one in capitals; libpq is as strict.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let position = Self::NAMES.iter().position(|name| *name == text);
        position
            .map(|position| Self::ALL[position])
            .ok_or(ConnectionStringError::SslMode)
    }
}

/// What tokio-postgres has to know; how certificates are checked is up to [`Tls`].
impl From<SslMode> for tokio_postgres::config::SslMode {
    fn from(mode: SslMode) -> Self {
        match mode {
            SslMode::Disable => Self::Disable,
            SslMode::Allow | SslMode::Prefer => Self::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Self::Require,
        }
    }
}

/// `sslrootcert`: whose certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCertificates {
    /// `system`: those that the operating system trusts.
    System,
    /// Those in a file in PEM form, and no others.
    File(PathBuf),
}

/// How much of a server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Only that the server has the certificate's key.
    None,
    /// That a trusted authority signed it.
    Authority,
    /// That a trusted authority signed it for this host.
    AuthorityAndHost,
}

impl Verification {
    /// The rule of the manual's table 34.1, with its exception that `require` with a given
    /// `sslrootcert` is `verify-ca`.
    pub(super) fn of(mode: SslMode, has_root_certificates: bool) -> Self {
        match mode {
            SslMode::Disable | SslMode::Allow | SslMode::Prefer => Self::None,
            SslMode::Require if !has_root_certificates => Self::None,
            SslMode::Require | SslMode::VerifyCa => Self::Authority,
            SslMode::VerifyFull => Self::AuthorityAndHost,
        }
    }
}

/// `direct` is `sslnegotiation=direct`, for which the server insists on the protocol's name.
pub(super) fn connector(
    verification: Verification,
    root_certificates: Option<&RootCertificates>,
    direct: bool,
) -> Result<Tls, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Setup { source })?;
    let builder = match verification {
        Verification::AuthorityAndHost => builder.with_root_certificates(roots(root_certificates)?),
        Verification::Authority => {
            let verifier = AnyHostName::new(roots(root_certificates)?, algorithms);
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
        }
        Verification::None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate::new(algorithms))),
    };
    let mut config = builder.with_no_client_auth();
    if direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// Whether the server refused an encrypted session that a plain one may replace under `prefer`:
/// the handshake failed, or `pg_hba.conf` has no place for it (28000).
pub(super) fn refused(error: &tokio_postgres::Error) -> bool {
    let handshake_failed = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn StdError + Send + Sync>::is::<rustls::Error>);
    handshake_failed || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

fn roots(from: Option<&RootCertificates>) -> Result<RootCertStore, TlsError> {
    match from {
        Some(RootCertificates::File(path)) => roots_in_file(path),
        Some(RootCertificates::System) | None => roots_of_the_system(),
    }
}

fn roots_in_file(path: &Path) -> Result<RootCertStore, TlsError> {
    let read_error = |source| TlsError::ReadRoots {
        path: path.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(read_error)? {
        let added = roots.add(certificate.map_err(read_error)?);
        added.map_err(|source| TlsError::ParseRoot {
            path: path.to_owned(),
            source,
        })?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots {
            path: path.to_owned(),
        });
    }
    Ok(roots)
}

fn roots_of_the_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry a few certificates that rustls cannot use; they are passed over.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(TlsError::NoSystemRoots {
            source: found.errors.into_iter().next(),
        });
    }
    Ok(roots)
}
