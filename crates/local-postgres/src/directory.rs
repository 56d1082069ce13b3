use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use super::{LocalPostgresError, temp_directory};

const REMOVE_TIMEOUT: Duration = Duration::from_secs(10);
const LOG_TAIL_LINES: usize = 20;

/// The server's directory, and the account that it belongs to when that is not ours.
#[derive(Debug)]
pub(super) struct Directory {
    // Removes what is there even when a start fails halfway.
    temporary: TempDir,
    account: Option<User>,
    // One handle for writing and reading: an account that may replace files in the directory cannot make
    // us, perhaps root, open another one.
    log: File,
}

impl Directory {
    pub(super) fn create() -> Result<Self, LocalPostgresError> {
        let account = unprivileged_account()?;
        let parent = temp_directory::choose(account.is_some());
        Self::create_in(&parent, account)
            .map_err(|source| LocalPostgresError::CreateDirectory { parent, source })
    }

    fn create_in(parent: &Path, account: Option<User>) -> io::Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("lead-mover-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let socket = temporary.path().join("socket");
        DirBuilder::new().mode(0o700).create(&socket)?;
        let log_path = temporary.path().join("log");
        let log = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&log_path)?;
        if let Some(account) = &account {
            let (uid, gid) = (Some(account.uid.as_raw()), Some(account.gid.as_raw()));
            // The directory last: until then no other account can put a link in the others' place.
            for path in [&socket, &log_path, temporary.path()] {
                chown(path, uid, gid)?;
            }
        }
        Ok(Self {
            temporary,
            account,
            log,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.temporary.path()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.path().join("socket")
    }

    /// Written by a server when it starts, removed by it when it stops in good order.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The same test as in `pg_ctl start --wait`: the first line of the lock file is the server's
    /// process, the eighth its state. A killed server leaves its own file behind.
    pub(super) fn server_is_ready(&self, pid: u32) -> bool {
        let lock_file = fs::read_to_string(self.lock_file()).unwrap_or_default();
        let line = |index| lock_file.lines().nth(index).map(str::trim);
        line(0) == Some(pid.to_string().as_str()) && line(7) == Some("ready")
    }

    /// A program that works in this directory, as the account that owns it, and is reached by
    /// none of the signals that a terminal sends us.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Messages in English; and macOS does not start a server without a locale.
            .env("LC_ALL", "C");
        // The server reads these, too.
        for name in ["PGPORT", "PGDATESTYLE", "PGCLIENTENCODING"] {
            command.env_remove(name);
        }
        if let Some(account) = &self.account {
            // The standard library then gives up root's supplementary groups as well.
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        command
    }

    /// The same, with its output added to the log.
    pub(super) fn logged_command(&self, program: &Path) -> Result<Command, LocalPostgresError> {
        let log = || {
            self.log
                .try_clone()
                .map_err(LocalPostgresError::ShareHandle)
        };
        let mut command = self.command(program);
        command.stdout(log()?).stderr(log()?);
        Ok(command)
    }

    pub(super) fn log(&self) -> io::Result<String> {
        let length = self.log.metadata()?.len();
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.log.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(super) fn log_tail(&self) -> String {
        let log = self
            .log()
            .unwrap_or_else(|error| format!("(unreadable: {error})"));
        let lines: Vec<&str> = log.trim_end().lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }

    pub(super) fn remove(&self) -> Result<(), LocalPostgresError> {
        let deadline = Instant::now() + REMOVE_TIMEOUT;
        loop {
            match fs::remove_dir_all(self.path()) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                // Backends that outlived a killed server may still be adding files.
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
                Err(source) => {
                    let path = self.path().to_owned();
                    return Err(LocalPostgresError::RemoveDirectory { path, source });
                }
            }
        }
    }
}

/// PostgreSQL does not run as root. `None` when we are not root: then it runs as ourselves.
fn unprivileged_account() -> Result<Option<User>, LocalPostgresError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).map_err(LocalPostgresError::LookUpUser)? {
            return Ok(Some(user));
        }
    }
    Err(LocalPostgresError::NoUnprivilegedUser)
}
