//! PgBouncer before the tests' PostgreSQL: two server sessions in transaction mode, shared by everybody who
//! connects.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::unistd::{User, geteuid};
use tempfile::TempDir;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::{Database, Session, eventually};

/// Where packages put it; Debian's place is not on everybody's PATH.
const PLACES: [&str; 4] = [
    "pgbouncer",
    "/usr/sbin/pgbouncer",
    "/opt/homebrew/bin/pgbouncer",
    "/usr/local/bin/pgbouncer",
];
/// Names its socket, in a directory that is its own.
const PORT: u16 = 6432;

/// Runs as long as it lives.
pub(crate) struct PgBouncer {
    process: Child,
    directory: TempDir,
    database: String,
}

impl PgBouncer {
    /// Before the server of that database, as packages configure it but for the mode and the pool.
    pub(crate) async fn before(database: &Database) -> Self {
        // Short: a socket's path has to be.
        let directory = tempfile::tempdir_in("/tmp").expect("a directory");
        let path = directory.path();
        let ini = path.join("pgbouncer.ini");
        fs::write(&ini, configuration(database, &path.to_string_lossy())).expect("it is written");
        let account = unprivileged_account();
        if let Some(user) = &account {
            for path in [&ini, path] {
                chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("its owner");
            }
        }
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("others may enter");
        let bouncer = Self {
            process: start(&ini, account.as_ref()),
            directory,
            database: database.name().to_owned(),
        };
        eventually("PgBouncer takes connections", async || {
            pg_connection::open_session(&bouncer.connection_string().parse().unwrap(), "test")
                .await
                .is_ok()
        })
        .await;
        bouncer
    }

    /// The database, through it.
    pub(crate) fn connection_string(&self) -> String {
        self.connection_string_of(&self.database)
    }

    /// An application's session, that shares the server's sessions with others.
    pub(crate) async fn open(&self) -> Session {
        pg_connection::open_session(&self.connection_string().parse().unwrap(), "application")
            .await
            .expect("it opens")
    }

    /// A command of its own console.
    pub(crate) async fn run(&self, command: &str) {
        let console = self.connection_string_of("pgbouncer");
        pg_connection::open_session(&console.parse().unwrap(), "test")
            .await
            .expect("it opens")
            .simple_query(command)
            .await
            .expect("it is carried out");
    }

    fn connection_string_of(&self, database: &str) -> String {
        let directory = self.directory.path().display();
        format!("host={directory} port={PORT} user=pgbouncer dbname={database}")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn configuration(database: &Database, directory: &str) -> String {
    let server: Config = database
        .connection_string()
        .parse()
        .expect("a connection string");
    let host = match &server.get_hosts()[0] {
        Host::Unix(directory) => directory.display().to_string(),
        Host::Tcp(host) => host.clone(),
    };
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let user = server.get_user().expect("a user");
    let mut target = format!("host={host} port={port} user={user}");
    if let Some(password) = server.get_password() {
        let password = String::from_utf8_lossy(password).replace('\'', "''");
        write!(target, " password='{password}'").expect("text");
    }
    format!(
        "[databases]\n* = {target}\n\
         [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {directory}\n\
         logfile = {directory}/log\nauth_type = any\nadmin_users = pgbouncer\n\
         pool_mode = transaction\ndefault_pool_size = 2\n"
    )
}

fn start(ini: &std::path::Path, account: Option<&User>) -> Child {
    for place in PLACES {
        let mut command = Command::new(PathBuf::from(place));
        command
            .arg("--quiet")
            .arg(ini)
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some(user) = account {
            use std::os::unix::process::CommandExt as _;
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        match command.spawn() {
            Ok(process) => return process,
            // A directory of root's PATH may be closed to the account.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied
                ) => {}
            Err(error) => panic!("{place} does not run: {error}"),
        }
    }
    panic!(
        "PgBouncer is not installed: run scripts/setup, or install your system's package pgbouncer"
    );
}

/// It does not run as root; as whom the tests' PostgreSQL runs it may enter that one's directory.
fn unprivileged_account() -> Option<User> {
    geteuid().is_root().then(|| {
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).expect("users can be looked up"))
            .expect("a user that is not root")
    })
}
