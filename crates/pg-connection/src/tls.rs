//! How well a connection is protected: `sslmode` and `sslrootcert` as in libpq (manual, section
//! 34.19.1), on rustls with the `ring` provider.
//!
//! Three differences. Where libpq falls back on `~/.postgresql/root.crt`, the system's root
//! certificates are used. `allow` tries TLS first, as `prefer` does. And where a certificate is to be
//! checked, rustls wants one of version 3 with the host among its alternative names, and signed by
//! an authority rather than being in `sslrootcert` itself with the mark of an authority.

mod verifier;

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::TlsError;
use super::ssl_mode::SslMode;
use verifier::{AnyCertificate, AnyHostName};

/// What tokio-postgres is given to open the TLS side of a session; cheap to clone.
pub type Tls = MakeRustlsConnect;

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

/// Whether the server denied an encrypted session that a plain one may replace under `prefer`:
/// the handshake failed, or `pg_hba.conf` has no entry for it (28000).
pub(super) fn denied(error: &tokio_postgres::Error) -> bool {
    is_handshake_failure(error)
        || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Whether a session was not opened because the TLS handshake failed: mostly a certificate that was not
/// accepted.
#[must_use]
pub fn is_handshake_failure(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .is_some_and(<dyn StdError + Send + Sync>::is::<rustls::Error>)
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
