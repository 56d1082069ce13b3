//! `lead-mover migrate`: brings a database to the schema that this binary was built with.
//!
//! A runner of our own, because the schema has two halves: tables, which are changed by numbered
//! files that run once, and views and functions, whose files are read as code and applied again
//! when they change. Libraries know the first half only.

#[cfg(feature = "embedded-pgmq")]
mod embedded_pgmq;
mod error;
mod files;
mod lead_index;
mod script;
mod state;

use postgres_types::Type;
use tokio_postgres::Transaction;

use crate::db::{self, ConnectionSettings};
use files::{BOOTSTRAP, EXAMPLE_SCHEMA, LIVING, MAPPING, SESSION, SqlFile, VERSIONED};

pub use script::script;

pub use error::MigrateError;
pub use lead_index::missing_lead_index;
pub use state::{SchemaState, schema_state};

pub(crate) use state::{files_of_missing_functions, public_functions};

/// Held while installing, so that several services may start at once. Spells `LM migr`.
const INSTALL_LOCK: i64 = 0x4c4d_206d_6967_7200;

/// The queue that the contract with applications names.
const QUEUE: &str = "lead_migration_queue";

/// Installs or upgrades PGMQ where it is missing, the queue, the schema, functions and trigger.
/// Safe to run again and by several at once; either all of the schema is applied or nothing.
///
/// Answers with the paths of the files that were applied, in their order; none when the schema was
/// current.
///
/// # Errors
/// See [`MigrateError`].
pub async fn install(
    settings: &ConnectionSettings,
    example_schema: bool,
) -> Result<Vec<&'static str>, MigrateError> {
    let mut client = db::open_session(settings, "lead-mover migrate").await?;
    let transaction = client
        .transaction()
        .await
        .map_err(MigrateError::Transaction)?;
    transaction
        .execute_typed(
            "select pg_advisory_xact_lock($1)",
            &[(&INSTALL_LOCK, Type::INT8)],
        )
        .await
        .map_err(MigrateError::Transaction)?;

    prepare_queue(&transaction, settings).await?;
    apply(&transaction, &SESSION).await?;
    apply(&transaction, &BOOTSTRAP).await?;
    if example_schema {
        apply(&transaction, &EXAMPLE_SCHEMA).await?;
    }
    apply(&transaction, &MAPPING).await?;
    let applied = apply_changes(&transaction).await?;

    transaction
        .commit()
        .await
        .map_err(MigrateError::Transaction)?;
    Ok(applied)
}

async fn prepare_queue(
    transaction: &Transaction<'_>,
    settings: &ConnectionSettings,
) -> Result<(), MigrateError> {
    if !holds(transaction, "to_regproc('pgmq.create') is not null").await? {
        let extension = "exists (select from pg_available_extensions where name = 'pgmq')";
        if holds(transaction, extension).await? {
            transaction
                .batch_execute("create extension pgmq")
                .await
                .map_err(MigrateError::Queue)?;
        } else {
            install_embedded(settings).await?;
        }
    }
    if !holds(
        transaction,
        "to_regclass('pgmq.q_lead_migration_queue') is not null",
    )
    .await?
    {
        transaction
            .execute_typed("select pgmq.create($1)", &[(&QUEUE, Type::TEXT)])
            .await
            .map_err(MigrateError::Queue)?;
    }
    Ok(())
}

#[cfg(feature = "embedded-pgmq")]
async fn install_embedded(settings: &ConnectionSettings) -> Result<(), MigrateError> {
    embedded_pgmq::install(settings)
        .await
        .map_err(|error| MigrateError::EmbeddedPgmq(db::describe(&error)))
}

#[cfg(not(feature = "embedded-pgmq"))]
#[expect(
    clippy::unused_async,
    reason = "the same signature as with the feature"
)]
async fn install_embedded(_settings: &ConnectionSettings) -> Result<(), MigrateError> {
    Err(MigrateError::NoPgmq)
}

async fn holds(transaction: &Transaction<'_>, condition: &str) -> Result<bool, MigrateError> {
    let rows = transaction
        .query_typed(&format!("select {condition}"), &[])
        .await
        .map_err(MigrateError::Queue)?;
    Ok(rows.iter().any(|row| row.get(0)))
}

async fn apply_changes(transaction: &Transaction<'_>) -> Result<Vec<&'static str>, MigrateError> {
    let rows = transaction
        .query_typed("select path, checksum from lead_mover.schema_files", &[])
        .await
        .map_err(MigrateError::Memory)?;
    let remembered: std::collections::BTreeMap<String, String> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();

    if let Some(newer) = remembered.keys().find(|path| state::is_newer(path)) {
        return Err(MigrateError::Newer(newer.clone()));
    }

    let mut applied = Vec::new();
    for file in VERSIONED.iter().chain(LIVING) {
        match remembered.get(file.path) {
            Some(checksum) if *checksum == file.checksum() => continue,
            Some(_) if file.path.starts_with("versioned/") => {
                return Err(MigrateError::Edited(file.path));
            }
            _ => {}
        }
        apply(transaction, file).await?;
        transaction
            .batch_execute(&remember(file))
            .await
            .map_err(MigrateError::Memory)?;
        applied.push(file.path);
    }
    Ok(applied)
}

async fn apply(transaction: &Transaction<'_>, file: &SqlFile) -> Result<(), MigrateError> {
    transaction
        .batch_execute(file.text)
        .await
        .map_err(|source| MigrateError::Apply {
            path: file.path,
            source,
        })
}

/// Neither value needs quoting: a path of ours, and hexadecimal digits.
fn remember(file: &SqlFile) -> String {
    format!(
        "insert into lead_mover.schema_files (path, checksum)\nvalues ('{}', '{}')\n\
         on conflict (path) do update\nset\n  checksum = excluded.checksum,\n  applied_at = excluded.applied_at;",
        file.path,
        file.checksum()
    )
}
