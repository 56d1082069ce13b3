//! `lead-mover migrate`: brings a database to the schema that this binary was built with.
//!
//! A runner of our own, because the schema has two halves: tables, which are changed by numbered
//! files that run once, and views and functions, whose files are read as code and applied again
//! when they change. Libraries know the first half only.

mod error;
mod pgmq;
mod script;

use std::collections::BTreeMap;

use pg_connection::ConnectionSettings;
use postgres_types::Type;
use tokio_postgres::Transaction;

use crate::schema::{
    self, BOOTSTRAP, EXAMPLE_SCHEMA, IDS, KEYS, LIVING, MAPPING, MAPPING_CHECKS, RIGHTS, SESSION,
    SqlFile, TRIGGERS, VERSIONED,
};

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
) -> Result<Vec<&'static str>, MigrateError> {
    let mut client = pg_connection::open_session(settings, "lead-mover migrate").await?;
    let mut transaction = client
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

    let had_pgmq = pgmq::has_schema(&transaction).await?;
    // A savepoint, so that the lock is still held while what PGMQ's installer committed is undone.
    let savepoint = transaction
        .savepoint("install")
        .await
        .map_err(MigrateError::Transaction)?;
    let outcome = apply_all(&savepoint, settings, example_schema).await;
    match &outcome {
        Ok(_) => savepoint.commit().await,
        Err(_) => savepoint.rollback().await,
    }
    .map_err(MigrateError::Transaction)?;
    if outcome.is_err() && !had_pgmq {
        pgmq::remove_if_unused(&transaction).await?;
    }
    transaction
        .commit()
        .await
        .map_err(MigrateError::Transaction)?;
    outcome
}

/// PGMQ comes last: its own SQL is committed apart from the transaction, so all that may fail has to be done
/// before.
async fn apply_all(
    transaction: &Transaction<'_>,
    settings: &ConnectionSettings,
    example_schema: bool,
) -> Result<Vec<&'static str>, MigrateError> {
    apply(transaction, &SESSION).await?;
    apply(transaction, &BOOTSTRAP).await?;
    if example_schema {
        apply(transaction, &EXAMPLE_SCHEMA).await?;
    }
    apply(transaction, &MAPPING).await?;
    apply(transaction, &MAPPING_CHECKS).await?;
    let known = known_files(transaction).await?;
    let mut applied = apply_changed(transaction, &known, VERSIONED).await?;
    apply(transaction, &KEYS).await?;
    apply(transaction, &IDS).await?;
    // Without the functions that have other types now.
    let known = known_files(transaction).await?;
    applied.extend(apply_changed(transaction, &known, LIVING).await?);

    pgmq::install_where_missing(transaction, settings).await?;
    let is_new_queue = pgmq::create_queue_where_missing(transaction).await?;
    apply(transaction, &SESSION).await?;
    // A new queue has no trigger, even where its file was applied to an earlier one.
    let known = if is_new_queue { BTreeMap::new() } else { known };
    applied.extend(apply_changed(transaction, &known, TRIGGERS).await?);
    apply(transaction, &RIGHTS).await?;
    repair(transaction).await?;
    Ok(applied)
}

/// Makes the queue's trigger and the messages of active moves again, where others have removed them.
async fn repair(transaction: &Transaction<'_>) -> Result<(), MigrateError> {
    let rows = transaction
        .query_typed("select lead_mover.repair()", &[])
        .await
        .map_err(MigrateError::Queue)?;
    let repaired: i32 = rows.iter().map(|row| row.get::<_, i32>(0)).sum();
    if repaired > 0 {
        tracing::warn!(
            messages = repaired,
            "messages of active moves were gone from the queue, or due too late; they are due now"
        );
    }
    Ok(())
}

/// The files that were applied to the database earlier: checksums by path.
async fn known_files(
    transaction: &Transaction<'_>,
) -> Result<BTreeMap<String, String>, MigrateError> {
    let rows = transaction
        .query_typed("select path, checksum from lead_mover.schema_files", &[])
        .await
        .map_err(MigrateError::SchemaFiles)?;
    let known: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    match known.keys().find(|path| schema::is_newer(path)) {
        Some(newer) => Err(MigrateError::Newer(newer.clone())),
        None => Ok(known),
    }
}

async fn apply_changed(
    transaction: &Transaction<'_>,
    known: &BTreeMap<String, String>,
    files: &[SqlFile],
) -> Result<Vec<&'static str>, MigrateError> {
    let mut applied = Vec::new();
    for file in files {
        match known.get(file.path) {
            Some(checksum) if *checksum == file.checksum() => continue,
            Some(_) if file.path.starts_with("versioned/") => {
                return Err(MigrateError::Edited(file.path));
            }
            _ => {}
        }
        apply(transaction, file).await?;
        transaction
            .batch_execute(&record(file))
            .await
            .map_err(MigrateError::SchemaFiles)?;
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
fn record(file: &SqlFile) -> String {
    format!(
        "insert into lead_mover.schema_files (path, checksum)\nvalues ('{}', '{}')\n\
         on conflict (path) do update\nset\n  checksum = excluded.checksum,\n  applied_at = excluded.applied_at;",
        file.path,
        file.checksum()
    )
}
