//! What the tests use: a PostgreSQL, databases with the example schema, the real service.

mod agreement;
mod buffers;
mod counts;
mod crm;
mod cron_server;
mod database;
mod disk_full;
mod doctor_report;
mod dropping;
mod explaining;
mod extension_directory;
mod finished;
mod gate;
mod installation;
mod invariant_watcher;
mod left_out;
mod listening;
mod messages;
mod own_server;
mod pg_bouncer;
mod pgmq_extension;
mod proxy;
mod psql;
mod roles;
mod server;
mod service;
mod sources;
mod triggers;
mod writes;

pub(crate) use agreement::DISAGREEMENTS;
pub(crate) use buffers::touched_buffers;
pub(crate) use counts::{add_moves, assert_moves_are_counted};
pub(crate) use crm::{Batch, Crm, Target, enqueue_in, process_in};
pub(crate) use cron_server::CronServer;
pub(crate) use database::{Database, Session, TEMPLATE_VARIABLE, value};
pub(crate) use doctor_report::{ALL_CHECKS, DoctorReport, doctor};
pub(crate) use explaining::{Explaining, Plan, below};
pub(crate) use finished::{Finished, finish};
pub(crate) use gate::{Gate, control_during_a_batch};
pub(crate) use installation::{EXAMPLE_TABLES, assert_same_schema, restore, restored};
pub(crate) use invariant_watcher::InvariantWatcher;
pub(crate) use left_out::{WITHOUT_CONTRIB, is_left_out};
pub(crate) use listening::Listening;
pub(crate) use messages::control_in;
pub(crate) use own_server::{OwnServer, kill_backend};
pub(crate) use pg_bouncer::PgBouncer;
pub(crate) use pgmq_extension::{PgmqServer, pgmq_sql_of_the_crate};
pub(crate) use proxy::{Faults, Proxy};
pub(crate) use psql::printed;
pub(crate) use roles::{grafana, owner, worker};
pub(crate) use server::{PRIVATE_VARIABLE, is_local, pg_dump};
pub(crate) use service::{Service, command, get, send};
pub(crate) use sources::{
    File, code, code_of, crates, files_below, files_with, source_folders, texts_below, words,
};

use std::future::Future;
use std::time::Duration;

/// How long a state may take to come: longer than anything here takes on a busy machine.
const STATE_TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until the condition holds; a test that waits for what never comes fails by saying so.
pub(crate) async fn eventually<F>(what: &str, condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    eventually_within(STATE_TIMEOUT, what, condition).await;
}

/// The same, for what takes longer by design.
pub(crate) async fn eventually_within<F>(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) where
    F: Future<Output = bool>,
{
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let waiting = async {
        while !condition().await {
            ticks.tick().await;
        }
    };
    let came = tokio::time::timeout(limit, waiting).await.is_ok();
    assert!(came, "waited in vain until {what}");
}
