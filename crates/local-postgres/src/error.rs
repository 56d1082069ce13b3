use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why there is no private PostgreSQL, or why it could not be cleared away.
#[derive(Debug, thiserror::Error)]
pub enum LocalPostgresError {
    /// No directory of this system holds all of `initdb`, `postgres` and `pg_ctl`.
    #[error(
        "PostgreSQL's server programs (initdb, postgres, pg_ctl) are not installed: run \
         `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora) \
         or `brew install postgresql` (macOS)"
    )]
    ProgramsNotFound,
    /// PostgreSQL does not run as root, and there is no other account.
    #[error(
        "PostgreSQL does not run as root, and this system has neither a user postgres nor nobody"
    )]
    NoUnprivilegedUser,
    /// The user database could not be read.
    #[error("could not look up the user that PostgreSQL is to run as")]
    LookUpUser(#[source] nix::Error),
    /// The directory of the server, or something in it, could not be created.
    #[error("could not create a directory for PostgreSQL in {}", parent.display())]
    CreateDirectory {
        /// The temp directory it was to be in.
        parent: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("could not run {}", program.display())]
    RunProgram {
        /// The program.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// `initdb` ran and failed.
    #[error("initdb failed ({status}); the end of its output:\n{log}")]
    InitializeData {
        /// How it ended.
        status: ExitStatus,
        /// The end of its output.
        log: String,
    },
    /// The server ended before it accepted connections.
    #[error("PostgreSQL ended while starting ({status}); the end of its log:\n{log}")]
    ServerEnded {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server was given up, and stopped.
    #[error("PostgreSQL was not ready after {} s; the end of its log:\n{log}", timeout.as_secs())]
    ServerNotReady {
        /// How long it was waited for.
        timeout: Duration,
        /// The end of its log.
        log: String,
    },
    /// The server's process could not be waited for or killed.
    #[error("could not wait for PostgreSQL's process")]
    AwaitServer(#[source] io::Error),
    /// The process that cleans up after a killed owner could not be ended.
    #[error("could not end the cleanup process of PostgreSQL's directory")]
    EndCleanupProcess(#[source] io::Error),
    /// A handle could not be duplicated for a child process.
    #[error("could not hand a file to a program of PostgreSQL")]
    ShareHandle(#[source] io::Error),
    /// The server's log could not be read.
    #[error("could not read PostgreSQL's log")]
    ReadLog(#[source] io::Error),
    /// The directory is still there.
    #[error("could not remove {}", path.display())]
    RemoveDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}
