//! Why an installation stopped.

use thiserror::Error;

use pg_connection::ConnectError;

/// Why the schema could not be installed.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// No session.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// The server has neither PGMQ nor its extension, and this build does not carry PGMQ's SQL.
    #[error(
        "PGMQ is missing: install the extension pgmq on the server, or use a build of lead-mover with the feature embedded-pgmq"
    )]
    NoPgmq,
    /// PGMQ's own SQL could not be installed.
    #[cfg(feature = "embedded-pgmq")]
    #[error("cannot install PGMQ")]
    EmbeddedPgmq(#[source] pgmq_installer::InstallError),
    /// The queue or the extension could not be created.
    #[error("cannot prepare the queue")]
    Queue(#[source] tokio_postgres::Error),
    /// A numbered file differs from what this database was given under that name.
    #[error(
        "{0} was changed after it had been applied to this database; versioned files are never edited, add a new one"
    )]
    Edited(&'static str),
    /// The database has files that this binary does not know: a newer lead-mover was here.
    #[error("the database was installed by a newer lead-mover (it has {0}); use that version")]
    Newer(String),
    /// A file failed. Nothing of the installation was kept.
    #[error("cannot apply {path}")]
    Apply {
        /// The file's path below `migrations/`.
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
    /// What the server advises, such as the views to create.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Apply { source, .. } => source.as_db_error().and_then(|error| error.hint()),
            _ => None,
        }
    }
}
