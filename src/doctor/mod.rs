//! `lead-mover doctor`: whether all that the service needs is there, and what to do where it is not. It reads
//! and notifies itself, and writes nothing.
//!
//! The SQL function `lead_mover.doctor` checks what the catalogs show. The checks here need the connection
//! itself, this binary's files, or the ledger.

mod catalogs;
mod connection;
mod connection_advice;
mod finding;
mod mapping;
mod moves;
mod notifications;
mod runner;
mod schema;

use pg_connection::ConnectionSettings;

use self::finding::Finding;
use self::runner::Runner;
use crate::config::ListenOn;
use crate::schema::SchemaState;
use crate::timings::Timings;

pub use finding::{Check, Status};

const APPLICATION_NAME: &str = "lead-mover doctor";

/// What the service would run with.
#[derive(Debug, Clone)]
pub struct DoctorSettings {
    /// Where the leads are.
    pub database: ConnectionSettings,
    /// Where to listen for notifications.
    pub listen_on: ListenOn,
    /// Connections that are to move leads.
    pub workers: u8,
    /// What to wait for, and how long.
    pub timings: Timings,
}

/// All checks, in the order in which they are shown.
const ALL: [&str; 19] = [
    "connection",
    "server",
    "writable",
    "pgmq",
    "schema",
    "grants",
    "exposure",
    "row_security",
    "mapping",
    "index",
    "trigger",
    "listen",
    "pooler",
    "statement_timeout",
    "connections",
    "long_transactions",
    "service",
    "realtime",
    "moves",
];

/// Runs every check; those that have nothing to look at are skipped.
pub async fn run(settings: &DoctorSettings) -> Vec<Check> {
    let mut runner = Runner::new(settings.timings.check);
    let database = pg_connection::open_session(&settings.database, APPLICATION_NAME).await;
    let client = match &database {
        Ok(client) => client,
        Err(error) => {
            let advice = connection_advice::of(error, "DATABASE_URL", &settings.database);
            runner.lose("connection", advice.await);
            return runner.finish(&ALL);
        }
    };
    let mut session = connection::Session::default();
    runner
        .ask("connection", async {
            session = connection::Session::read(client).await?;
            Ok(session.check(&settings.database))
        })
        .await;
    for (check, part) in catalogs::parts(settings.workers) {
        let checks = async { mapping::with_update(client, part.read(client).await?).await };
        runner.ask_all(check, checks).await;
    }
    let mut state = SchemaState::Missing;
    runner
        .ask("schema", async {
            state = crate::schema::schema_state(client).await?;
            schema::check(client, state).await
        })
        .await;
    if state == SchemaState::Missing {
        runner.record("moves", Finding::skipped_because_of("schema"));
    } else {
        runner.ask("moves", moves::check(client)).await;
    }
    if session.is_standby() {
        for check in ["listen", "pooler"] {
            runner.record(check, Finding::skipped_because_of("writable"));
        }
    } else if runner.has_database() {
        let (listen, delivery) = notifications::listen(settings, client).await;
        runner.record("listen", listen);
        let pooler = notifications::pooler(settings, client, delivery).await;
        runner.record("pooler", pooler);
    }
    runner.finish(&ALL)
}
