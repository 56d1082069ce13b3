use std::{
    os::fd::AsFd,
    process::{Child, Stdio},
};

use super::{LocalPostgresError, Programs, directory::Directory};

/// Blocks until no process holds the other end of the pipe, then stops the server and removes its
/// directory.
///
/// - A server that was being started when its owner died may not have written its lock file yet.
/// - Backends that outlived a killed server may still be adding files to the directory.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
pg_ctl=$1 directory=$2
read -r line
[ -e "$directory/data/postmaster.pid" ] || sleep 1
"$pg_ctl" stop --wait --timeout 20 --mode immediate --pgdata "$directory/data"
for attempt in 1 2 3 4 5; do
  rm -rf "$directory" && exit
  sleep 1
done
"#;

/// A process that clears away what its owner leaves when it is killed: nothing inside a process
/// can see its own SIGKILL, but the system closes the pipe.
#[derive(Debug)]
pub(super) struct CleanupProcess {
    process: Child,
}

impl CleanupProcess {
    pub(super) fn spawn(
        programs: &Programs,
        directory: &Directory,
    ) -> Result<Self, LocalPostgresError> {
        let mut command = directory.command("/bin/sh".as_ref());
        command
            .args(["-c", SCRIPT, "lead-mover-cleanup"])
            .arg(programs.pg_ctl());
        // Standing inside a directory would keep its file system busy, or a name in use.
        command
            .arg(directory.path())
            .current_dir("/")
            .stdin(Stdio::piped());
        let process = command
            .spawn()
            .map_err(|source| LocalPostgresError::RunProgram {
                program: "/bin/sh".into(),
                source,
            })?;
        Ok(Self { process })
    }

    /// The pipe, as the standard input of a program that works in the directory (and reads
    /// nothing): should the owner be killed meanwhile, the cleanup process waits for that program, and
    /// does not remove files that are just being created.
    pub(super) fn hold(&self) -> Result<Stdio, LocalPostgresError> {
        let Some(pipe) = &self.process.stdin else {
            return Ok(Stdio::null());
        };
        let pipe = pipe.as_fd().try_clone_to_owned();
        pipe.map(Stdio::from)
            .map_err(LocalPostgresError::ShareHandle)
    }

    /// Ends the cleanup process; there is nothing left for it to do.
    pub(super) fn dismiss(&mut self) -> Result<(), LocalPostgresError> {
        self.process
            .kill()
            .map_err(LocalPostgresError::EndCleanupProcess)?;
        // `Child::wait` closes the pipe first; a process that has been killed does not see it.
        self.process
            .wait()
            .map_err(LocalPostgresError::EndCleanupProcess)?;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for CleanupProcess {
    fn drop(&mut self) {
        // When the directory could not be removed, the closing pipe lets the cleanup process try; it is
        // waited for so that no zombie stays.
        drop(self.process.stdin.take());
        if let Err(error) = self.process.wait() {
            tracing::warn!(%error, "the cleanup process of PostgreSQL's directory was not waited for");
        }
    }
}
