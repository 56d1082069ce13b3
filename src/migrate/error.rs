//! Why an installation stopped.

use thiserror::Error;

use pg_connection::ConnectError;

/// Why the schema could not be installed.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// No session.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// Another version has changed this database: a newer one, or one whose numbered files differ.
    #[error("{0}")]
    OtherVersion(String),
    /// A file failed. Nothing of the installation was kept.
    #[error("cannot apply {path}")]
    Apply {
        /// The file's path below `migrations/`, or what the statements are.
        path: &'static str,
        /// The server's error.
        source: tokio_postgres::Error,
    },
    /// `lead_mover.schema_files`, which remembers what was applied.
    #[error("cannot read what was applied to this database")]
    SchemaFiles(#[source] tokio_postgres::Error),
    /// The transaction could not be opened or committed.
    #[error("cannot install the schema")]
    Transaction(#[source] tokio_postgres::Error),
}

impl MigrateError {
    pub(super) fn of(path: &'static str, source: tokio_postgres::Error) -> Self {
        match source.as_db_error() {
            Some(error) if path == super::steps::OTHER_VERSIONS => {
                Self::OtherVersion(error.message().to_owned())
            }
            _ => Self::Apply { path, source },
        }
    }

    /// What the server advises, such as the views to create.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Apply { source, .. } => source.as_db_error().and_then(|error| error.hint()),
            _ => None,
        }
    }
}
