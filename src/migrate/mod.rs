//! `lead-mover migrate`: brings a database to the schema that this binary was built with.
//!
//! A runner of our own, because the schema has two halves: tables, which are changed by numbered
//! files that run once, and views and functions, whose files are read as code and applied again
//! when they change. Libraries know the first half only.

mod error;
mod pgmq;
mod script;
mod steps;

use pg_connection::ConnectionSettings;
use tokio_postgres::Transaction;

pub use error::MigrateError;
pub use script::script;

/// Held while installing, so that several services may start at once. Spells `LM migr`.
const INSTALL_LOCK: i64 = 0x4c4d_206d_6967_7200;

/// The queue that the contract with applications names.
const QUEUE: &str = "lead_migration_queue";

/// Installs or upgrades the schema, its functions and trigger, and PGMQ and the queue where they are missing.
/// Safe to run again and by several at once; either all of it is applied or nothing.
///
/// Returns the paths of the files that were applied, in their order; none when the schema was current.
///
/// # Errors
/// See [`MigrateError`].
pub async fn install(
    settings: &ConnectionSettings,
    example_schema: bool,
) -> Result<Vec<String>, MigrateError> {
    let mut client = pg_connection::open_session(settings, "lead-mover migrate").await?;
    let transaction = client
        .transaction()
        .await
        .map_err(MigrateError::Transaction)?;
    for step in steps::steps(example_schema) {
        if step.name == steps::MESSAGES {
            repair(&transaction).await
        } else {
            transaction.batch_execute(&step.sql).await
        }
        .map_err(|source| MigrateError::of(step.name, source))?;
    }
    let applied = applied_files(&transaction).await?;
    transaction
        .commit()
        .await
        .map_err(MigrateError::Transaction)?;
    Ok(applied)
}

/// Makes the queue's triggers and the messages of active moves again, where others have removed them.
async fn repair(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let rows = transaction
        .query_typed("select lead_mover.repair()", &[])
        .await?;
    let repaired: i32 = rows.iter().map(|row| row.get::<_, i32>(0)).sum();
    if repaired > 0 {
        tracing::warn!(
            messages = repaired,
            "messages of active moves were gone from the queue, or due too late; they are due now"
        );
    }
    Ok(())
}

/// Those that this transaction has applied.
async fn applied_files(transaction: &Transaction<'_>) -> Result<Vec<String>, MigrateError> {
    let rows = transaction
        .query_typed(
            "select f.path
             from lead_mover.schema_files f
             where f.xmin::text = (pg_current_xact_id_if_assigned()::text::numeric % 4294967296)::text
               and f.applied_at > '-infinity'
             order by f.applied_at, f.path",
            &[],
        )
        .await
        .map_err(MigrateError::SchemaFiles)?;
    rows.iter()
        .map(|row| row.try_get(0).map_err(MigrateError::SchemaFiles))
        .collect()
}
