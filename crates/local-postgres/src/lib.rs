//! A private, real PostgreSQL server, started from the system's own server programs.
//!
//! The `demo` command and the integration tests run on it. It listens on a unix socket inside a
//! directory that only its owner can enter, and neither outlives the process that started it.
//! Every call blocks; none belongs on a runtime's worker thread.
#![expect(
    clippy::disallowed_methods,
    reason = "it waits for processes without a runtime, and PATH is where programs are, not a setting"
)]

mod cleanup_process;
mod directory;
mod error;
mod programs;
mod server;
mod temp_directory;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use self::{
    cleanup_process::CleanupProcess,
    directory::Directory,
    server::{PORT, Server},
};
pub use self::{error::LocalPostgresError, programs::Programs};

/// How long backends that outlived a killed server may keep its shared memory.
const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(15);
const LEFTOVER_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How much the server does to survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's defaults: what is measured on it is true of a real server.
    Full,
    /// No `fsync`, `synchronous_commit` or `full_page_writes`: for tests only.
    None,
}

/// A running server. Dropping it stops the server and removes its directory.
#[derive(Debug)]
pub struct LocalPostgres {
    programs: Programs,
    durability: Durability,
    server: Option<Server>,
    // Removed before the cleanup process ends, so that one of the two always does it.
    directory: Directory,
    cleanup_process: CleanupProcess,
}

impl LocalPostgres {
    /// Creates a database cluster in a new directory and starts its server.
    ///
    /// # Errors
    ///
    /// [`LocalPostgresError::ProgramsNotFound`] where no server is installed; any other variant
    /// when a program failed, with the end of the server's log where there is one.
    pub fn start(durability: Durability) -> Result<Self, LocalPostgresError> {
        Self::start_with(Programs::find()?, durability)
    }

    /// The same with those programs.
    ///
    /// # Errors
    ///
    /// As those of [`Self::start`].
    pub fn start_with(
        programs: Programs,
        durability: Durability,
    ) -> Result<Self, LocalPostgresError> {
        let directory = Directory::create()?;
        let cleanup_process = CleanupProcess::spawn(&programs, &directory)?;
        let mut postgres = Self {
            programs,
            durability,
            server: None,
            directory,
            cleanup_process,
        };
        postgres.initialize()?;
        postgres.start_server()?;
        Ok(postgres)
    }

    /// The libpq keyword string that connects to `database` as the superuser `postgres`.
    #[must_use]
    pub fn connection_string(&self, database: &str) -> String {
        let host = self.directory.socket();
        // Without a port libpq would take PGPORT from the environment.
        format!(
            "host={} port={PORT} user=postgres dbname={}",
            quoted(&host.to_string_lossy()),
            quoted(database)
        )
    }

    /// Starts the server again on the same data, whether it is running or was killed; not after
    /// [`Self::stop`], which removes the data.
    ///
    /// # Errors
    ///
    /// When the server does not become ready; it is then stopped, and can be restarted again.
    pub fn restart(&mut self) -> Result<(), LocalPostgresError> {
        self.stop_server()?;
        // A clean stop removes this file. Backends of a killed server end by themselves, but until
        // they have, their shared memory keeps a new server from starting.
        let was_killed = self.directory.lock_file().exists();
        let deadline = Instant::now() + LEFTOVER_TIMEOUT;
        loop {
            match self.start_server() {
                Err(LocalPostgresError::ServerEnded { .. })
                    if was_killed && Instant::now() < deadline =>
                {
                    thread::sleep(LEFTOVER_POLL_INTERVAL);
                }
                outcome => return outcome,
            }
        }
    }

    /// Shuts the server down (its "fast" mode: sessions are ended), waits for it and removes the
    /// directory. Stopping a second time does nothing.
    ///
    /// # Errors
    ///
    /// When the server could not be waited for or the directory not be removed.
    pub fn stop(&mut self) -> Result<(), LocalPostgresError> {
        self.stop_server()?;
        self.directory.remove()?;
        self.cleanup_process.dismiss()
    }

    /// Leaves the server running when this process ends, and its directory where it is. Returns the shell
    /// command that stops the one and removes the other.
    ///
    /// # Errors
    ///
    /// When the cleanup process could not be ended; the server is then stopped as by [`Self::stop`].
    pub fn keep_running(mut self) -> Result<String, LocalPostgresError> {
        self.cleanup_process.dismiss()?;
        let stop = self
            .pid()
            .map_or_else(String::new, |pid| format!("kill -QUIT {pid}; sleep 1; "));
        let directory = self.directory.path().display().to_string();
        // What it would do when dropped is what must not happen.
        std::mem::forget(self);
        Ok(format!("{stop}rm -rf '{directory}'"))
    }

    /// The id of the server's main process; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Everything that `initdb` and the server wrote so far; still there after a stop.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String, LocalPostgresError> {
        self.directory.log().map_err(LocalPostgresError::ReadLog)
    }

    /// The server's data directory (`PGDATA`).
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.directory.data()
    }

    /// The server programs in use; other programs of the same version (`pgbench`) are often
    /// beside them.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    fn initialize(&self) -> Result<(), LocalPostgresError> {
        let program = self.programs.initdb();
        let mut command = self.directory.logged_command(&program)?;
        command
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--no-instructions")
            .arg("--pgdata")
            .arg(self.directory.data())
            .stdin(self.cleanup_process.hold()?);
        if self.durability == Durability::None {
            command.arg("--no-sync");
        }
        let status = command
            .status()
            .map_err(|source| LocalPostgresError::RunProgram { program, source })?;
        if status.success() {
            Ok(())
        } else {
            Err(LocalPostgresError::InitializeData {
                status,
                log: self.directory.log_tail(),
            })
        }
    }

    fn start_server(&mut self) -> Result<(), LocalPostgresError> {
        self.server = Some(Server::start(
            &self.programs,
            &self.directory,
            self.durability,
        )?);
        Ok(())
    }

    fn stop_server(&mut self) -> Result<(), LocalPostgresError> {
        if let Some(server) = &mut self.server {
            server.stop(&self.programs, &self.directory)?;
            self.server = None;
        }
        Ok(())
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the private PostgreSQL was not cleaned up");
        }
    }
}

/// A value of libpq's keyword string: quoted, because a temp directory may have a space in it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_-.+".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}
