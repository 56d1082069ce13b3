//! What the tests stand on: a PostgreSQL, databases with the example schema, the real service.

mod crm;
mod database;
mod gate;
mod listening;
mod messages;
mod server;
mod service;

pub use crm::{Batch, Crm, Target, enqueue_in, process_in};
pub use database::{Database, Session};
pub use gate::{Gate, control_during_a_batch};
pub use listening::Listening;
pub use messages::control_in;
pub use server::{is_local, log_of_server, pg_dump, settings_for};
pub use service::{Service, command, get};

use std::future::Future;
use std::time::Duration;

/// Longer than anything here takes, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the condition holds; a test that waits for what never comes fails by saying so.
pub async fn eventually<F>(what: &str, mut condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let waiting = async {
        while !condition().await {
            ticks.tick().await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("waited in vain until {what}");
    }
}
