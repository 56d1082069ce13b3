use std::{
    io,
    path::Path,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use super::{Durability, LocalPostgresError, Programs, directory::Directory};

/// Inside a private directory no other server can have it, so it need not be looked for.
pub(super) const PORT: &str = "5432";
/// As long as `pg_ctl start` waits; recovery after a crash is part of it.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The shutdown checkpoint of "fast" may take long; "immediate" loses nothing that the server
/// could not recover.
const STOP_MODES: [(&str, Duration); 2] = [
    ("fast", Duration::from_secs(30)),
    ("immediate", Duration::from_secs(10)),
];
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The server's main process.
///
/// It is a child of ours, not of `pg_ctl start`: where the first process of a container does not
/// reap orphans, a killed server would stay a zombie for ever, and its successor would not
/// start because the process still exists.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
}

impl Server {
    /// Starts the server and waits until it accepts connections.
    pub(super) fn start(
        programs: &Programs,
        directory: &Directory,
        durability: Durability,
    ) -> Result<Self, LocalPostgresError> {
        let program = programs.postgres();
        let mut command = directory.logged_command(&program)?;
        command.arg("-D").arg(directory.data());
        command.arg("-k").arg(directory.socket()).args(["-p", PORT]);
        for setting in settings(durability) {
            command.args(["-c", setting]);
        }
        let process = command
            .spawn()
            .map_err(|source| LocalPostgresError::RunProgram { program, source })?;
        let mut server = Self { process };
        server.wait_until_ready(programs, directory)?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends the sessions and the server, and waits for it.
    pub(super) fn stop(
        &mut self,
        programs: &Programs,
        directory: &Directory,
    ) -> Result<(), LocalPostgresError> {
        // The lock file of a server that is gone may name a process that is not PostgreSQL's.
        if self
            .ends_within(Duration::ZERO)
            .map_err(LocalPostgresError::AwaitServer)?
        {
            return Ok(());
        }
        for (mode, limit) in STOP_MODES {
            // Fails when the server has just ended or has not written its lock file yet.
            let was_asked = ask_to_stop(&programs.pg_ctl(), mode, directory);
            let limit = if was_asked { limit } else { Duration::ZERO };
            if self
                .ends_within(limit)
                .map_err(LocalPostgresError::AwaitServer)?
            {
                return Ok(());
            }
        }
        self.process
            .kill()
            .map_err(LocalPostgresError::AwaitServer)?;
        self.process
            .wait()
            .map_err(LocalPostgresError::AwaitServer)?;
        Ok(())
    }

    fn wait_until_ready(
        &mut self,
        programs: &Programs,
        directory: &Directory,
    ) -> Result<(), LocalPostgresError> {
        let deadline = Instant::now() + START_TIMEOUT;
        while !directory.server_is_ready(self.pid()) {
            let ended = self
                .process
                .try_wait()
                .map_err(LocalPostgresError::AwaitServer)?;
            if let Some(status) = ended {
                let log = directory.log_tail();
                return Err(LocalPostgresError::ServerEnded { status, log });
            }
            if Instant::now() >= deadline {
                let log = directory.log_tail();
                self.stop(programs, directory)?;
                return Err(LocalPostgresError::ServerNotReady {
                    timeout: START_TIMEOUT,
                    log,
                });
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn ends_within(&mut self, limit: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + limit;
        while self.process.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(true)
    }
}

/// On the command line, where neither `initdb` nor `alter system` overrides them.
fn settings(durability: Durability) -> Vec<&'static str> {
    let mut settings = vec![
        "listen_addresses=",
        "max_connections=200",
        "timezone=UTC",
        "log_timezone=UTC",
    ];
    if durability == Durability::None {
        settings.extend([
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ]);
        // In files of the data directory: a server that a test kills leaves nothing in /dev/shm.
        settings.push("dynamic_shared_memory_type=mmap");
    }
    settings
}

fn ask_to_stop(pg_ctl: &Path, mode: &str, directory: &Directory) -> bool {
    let mut command = directory.command(pg_ctl);
    command
        .args(["stop", "--no-wait", "--mode", mode, "--pgdata"])
        .arg(directory.data());
    command.status().is_ok_and(|status| status.success())
}
