//! The PostgreSQL that the tests share: the one that `TEST_DATABASE_URL` names, or one of their own.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use local_postgres::{Durability, LocalPostgres, Programs};
use pg_connection::ConnectionSettings;

use super::dropping;

enum Server {
    /// Started here; taken out when the tests are over.
    Own(Mutex<Option<Box<LocalPostgres>>>),
    /// A connection string of another server, with a right to create databases.
    Given(String),
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = given_url().map_or_else(
            || {
                let own = LocalPostgres::start(Durability::None).expect("PostgreSQL starts");
                Server::Own(Mutex::new(Some(Box::new(own))))
            },
            Server::Given,
        );
        shutdown_hooks::add_shutdown_hook(stop);
        server
    })
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn given_url() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}

/// Statics are not dropped when a process ends.
extern "C" fn stop() {
    dropping::finish_dropping();
    dropping::print_kept();
    match server() {
        Server::Own(own) => {
            let Some(own) = own.lock().ok().and_then(|mut own| own.take()) else {
                return;
            };
            if dropping::keeps_databases() {
                match own.keep_running() {
                    Ok(how_to_stop) => eprintln!("the server stays; to stop it: {how_to_stop}"),
                    Err(error) => eprintln!("the server does not stay: {error}"),
                }
            }
        }
        Server::Given(_) => dropping::drop_the_rest(),
    }
}

fn own<T>(answer: impl FnOnce(&LocalPostgres) -> T) -> Option<T> {
    match server() {
        Server::Own(own) => Some(answer(own.lock().unwrap().as_ref().expect("it runs"))),
        Server::Given(_) => None,
    }
}

/// Tells a process of the tests that another one has started the server for them.
pub(crate) const PRIVATE_VARIABLE: &str = "TEST_DATABASE_IS_PRIVATE";

/// Whether the server is the tests' own: they are its superuser without a password, and its programs are
/// here. Another process of the tests may have started it.
pub(crate) fn is_local() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "how one process of the tests tells another"
    )]
    let is_private = || std::env::var_os(PRIVATE_VARIABLE).is_some();
    own(|_| ()).is_some() || is_private()
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
    let program = if is_local() {
        let programs = Programs::find().expect("they have started it");
        programs.directory().join("pg_dump")
    } else {
        "pg_dump".into()
    };
    dump_with(&program, &connection_string(database), arguments)
}

/// `pg_dump` of a database, with that program.
pub(super) fn dump_with(program: &Path, connection_string: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(format!("--dbname={connection_string}"))
        .output()
        .expect("the tests need pg_dump, beside the server's programs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("a dump is UTF-8")
}
