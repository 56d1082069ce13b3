//! The PostgreSQL that the tests share: the one that `TEST_DATABASE_URL` names, or one of their own.

use std::process::Command;
use std::sync::{Mutex, OnceLock};

use local_postgres::{Durability, LocalPostgres};
use pg_connection::ConnectionSettings;

enum Server {
    /// Started here; taken out when the tests are over.
    Own(Mutex<Option<Box<LocalPostgres>>>),
    /// A connection string of somebody else's server, with a right to create databases.
    Given(String),
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "the tests' one setting")]
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
        Server::Own(own) => drop(own.lock().map(|mut own| own.take())),
        Server::Given(_) => super::database::drop_all(),
    }
}

fn own<T>(answer: impl FnOnce(&LocalPostgres) -> T) -> Option<T> {
    match server() {
        Server::Own(own) => Some(answer(own.lock().unwrap().as_ref().expect("it runs"))),
        Server::Given(_) => None,
    }
}

/// Whether the server is the tests' own, with its log and programs at hand.
pub(crate) fn is_local() -> bool {
    own(|_| ()).is_some()
}

/// A connection string for that database of the server.
pub(crate) fn connection_string(database: &str) -> String {
    own(|server| server.connection_string(database)).unwrap_or_else(|| {
        let Server::Given(url) = server() else {
            unreachable!()
        };
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
    })
}

/// Connection settings for that database of the server.
pub(crate) fn settings_for(database: &str) -> ConnectionSettings {
    connection_string(database)
        .parse()
        .expect("a connection string")
}

/// `pg_dump` of a database, with the server's own program where the server is the tests' own.
pub(crate) fn pg_dump(database: &str, arguments: &[&str]) -> String {
    let program = own(|server| server.programs().directory().join("pg_dump"))
        .unwrap_or_else(|| "pg_dump".into());
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
