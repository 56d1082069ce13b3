//! The PostgreSQL that the tests share: the one that `TEST_DATABASE_URL` names, or one of their own.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use local_postgres::{Durability, LocalPostgres, Programs};

use super::cleanup;
use pg_connection::ConnectionSettings;

enum Server {
    /// Started here; taken out when the tests are over.
    Own(Mutex<Option<Box<LocalPostgres>>>),
    /// A connection string of another server, with a right to create databases.
    Given(String),
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            shutdown_hooks::add_shutdown_hook(stop);
            return Server::Given(url);
        }
        let own = LocalPostgres::start(Durability::None).expect("PostgreSQL starts");
        shutdown_hooks::add_shutdown_hook(stop);
        Server::Own(Mutex::new(Some(Box::new(own))))
    })
}

/// Statics are not dropped when a process ends.
extern "C" fn stop() {
    match server() {
        Server::Own(own) => {
            if cleanup::keeps_databases() {
                println!("\nThe databases are kept until you press Enter.");
                let _read = std::io::stdin().read(&mut [0]);
            }
            drop(own.lock().map(|mut own| own.take()));
        }
        Server::Given(_) => cleanup::finish(),
    }
}

/// Set where the server is one that `cargo nextest` has started for all tests.
pub(crate) const SHARED_VARIABLE: &str = "TEST_SHARED_SERVER";

/// Whether the server was started for the tests: it trusts everybody, and they may set what they want.
pub(crate) fn is_local() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "how nextest's server is announced"
    )]
    let is_shared = std::env::var_os(SHARED_VARIABLE).is_some();
    is_shared || matches!(server(), Server::Own(_))
}

/// The roles of these tests end with it: processes that share a server share them too.
pub(super) fn role_suffix() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "how nextest's server is announced"
    )]
    let shared = std::env::var(SHARED_VARIABLE).ok();
    shared.unwrap_or_else(|| std::process::id().to_string())
}

/// A connection string for that database of the server.
pub(crate) fn connection_string(database: &str) -> String {
    match server() {
        Server::Own(own) => own
            .lock()
            .unwrap()
            .as_ref()
            .expect("it runs")
            .connection_string(database),
        Server::Given(url) => connection_string_at(url, database),
    }
}

fn connection_string_at(url: &str, database: &str) -> String {
    if url.starts_with("postgres") {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let server = base
            .rsplit_once('/')
            .filter(|(server, _)| !server.ends_with('/'));
        format!(
            "{}/{database}?{query}",
            server.map_or(base, |(server, _)| server)
        )
    } else {
        format!("{url} dbname={database}")
    }
}

/// Connection settings for that database of the server.
pub(crate) fn settings_for(database: &str) -> ConnectionSettings {
    connection_string(database)
        .parse()
        .expect("a connection string")
}

/// `pg_dump` of a database, with the server's own program where the server is the tests' own.
pub(crate) fn pg_dump(database: &str, arguments: &[&str]) -> String {
    let program = if is_local() {
        let programs = Programs::find().expect("the programs of the server that runs");
        programs.directory().join("pg_dump")
    } else {
        PathBuf::from("pg_dump")
    };
    let output = Command::new(program)
        .args(arguments)
        .arg(format!("--dbname={}", connection_string(database)))
        .output()
        .expect("pg_dump runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("a dump is UTF-8")
}
