//! `lead-mover doctor`: whether everything that the service stands on is there, and what to do where it
//! is not. It reads and notifies itself, and writes nothing.

mod cause;
mod circumstances;
mod examination;
mod finding;
mod grants;
mod hearing;
mod queue;
mod schema;
mod server;

use crate::config::ListenOn;
use crate::db::{self, ConnectionSettings};
use examination::Examination;

pub use finding::{Check, Status};

const APPLICATION_NAME: &str = "lead-mover doctor";

/// What the service would run with.
#[derive(Debug, Clone)]
pub struct DoctorSettings {
    /// Where the leads are.
    pub database: ConnectionSettings,
    /// Where notifications are to be heard.
    pub listen_on: ListenOn,
    /// Connections that are to move leads.
    pub workers: u8,
}

/// All checks, in the order in which they are made.
const ALL: [&str; 16] = [
    "connection",
    "server",
    "writable",
    "pgmq",
    "schema",
    "grants",
    "exposure",
    "mapping",
    "index",
    "trigger",
    "listen",
    "pooler",
    "statement_timeout",
    "connections",
    "long_transactions",
    "moves",
];

/// Makes every check, those that nothing can be told of included.
pub async fn examine(settings: &DoctorSettings) -> Vec<Check> {
    let mut examination = Examination::default();
    let database = match db::open_session(&settings.database, APPLICATION_NAME).await {
        Ok(database) => database,
        Err(error) => {
            let finding = cause::of(&error, "DATABASE_URL", &settings.database).await;
            examination.lose("connection", finding);
            return examination.finish(&ALL);
        }
    };
    let client = &database;
    let connection = server::connection(client, &settings.database);
    examination.ask("connection", &[], connection).await;
    examination
        .ask("server", &[], server::version(client))
        .await;
    examination
        .ask("writable", &[], server::writable(client))
        .await;

    examination.ask("pgmq", &[], queue::pgmq(client)).await;
    examination.ask("schema", &[], schema::schema(client)).await;
    examination.ask("grants", &[], grants::grants(client)).await;
    examination
        .ask("exposure", &["schema"], grants::exposure(client))
        .await;
    examination
        .ask("mapping", &["schema"], schema::mapping(client))
        .await;
    examination
        .ask("index", &["mapping"], schema::index(client))
        .await;
    examination
        .ask("trigger", &["pgmq", "schema"], queue::trigger(client))
        .await;

    // A standby refuses to listen, and has nothing to say.
    let mut hearing = None;
    let listen = async {
        let (finding, heard) = hearing::listen(settings, client).await;
        hearing = heard;
        finding
    };
    examination.look("listen", &["writable"], listen).await;
    let pooler = hearing::pooler(settings, client, hearing);
    examination.look("pooler", &["writable"], pooler).await;

    let statement_timeout = circumstances::statement_timeout(client);
    examination
        .ask("statement_timeout", &[], statement_timeout)
        .await;
    let connections = circumstances::connections(client, settings.workers);
    examination.ask("connections", &[], connections).await;
    let long_transactions = circumstances::long_transactions(client);
    examination
        .ask("long_transactions", &[], long_transactions)
        .await;
    examination
        .ask("moves", &["schema"], circumstances::moves(client))
        .await;
    examination.finish(&ALL)
}
