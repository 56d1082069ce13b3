//! PGMQ and the queue, where a database does not have them.

use pg_connection::ConnectionSettings;
use postgres_types::Type;
use tokio_postgres::Transaction;

use super::{MigrateError, QUEUE};

/// By the catalogs, and not by `to_regproc`: what a session has once looked up by name and not found, it may not
/// find later in the same transaction either.
pub(super) async fn is_installed(transaction: &Transaction<'_>) -> Result<bool, MigrateError> {
    let condition = "exists (
        select
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'pgmq' and p.proname = 'create'
    )";
    holds(transaction, condition).await
}

/// Whether there is a schema pgmq, with PGMQ in it or not: it and what is in it are not ours to drop.
pub(super) async fn has_schema(transaction: &Transaction<'_>) -> Result<bool, MigrateError> {
    let condition = "exists (select from pg_catalog.pg_namespace n where n.nspname = 'pgmq')";
    holds(transaction, condition).await
}

/// The server's extension where it offers one; else PGMQ's own SQL, which is committed at once.
pub(super) async fn install_where_missing(
    transaction: &Transaction<'_>,
    settings: &ConnectionSettings,
) -> Result<(), MigrateError> {
    if is_installed(transaction).await? {
        return Ok(());
    }
    let is_offered = "exists (select from pg_available_extensions where name = 'pgmq')";
    if holds(transaction, is_offered).await? {
        execute(transaction, "create extension pgmq").await
    } else {
        install_embedded(settings).await
    }
}

/// As an application would, with its search path: some releases of PGMQ name their objects without a schema.
/// Returns whether it was missing.
pub(super) async fn create_queue_where_missing(
    transaction: &Transaction<'_>,
) -> Result<bool, MigrateError> {
    let condition = "exists (
        select
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'pgmq' and c.relname = 'q_lead_migration_queue'
    )";
    if holds(transaction, condition).await? {
        return Ok(false);
    }
    execute(transaction, "set local search_path to default").await?;
    transaction
        .execute_typed("select pgmq.create($1)", &[(&QUEUE, Type::TEXT)])
        .await
        .map_err(MigrateError::Queue)?;
    Ok(true)
}

/// Drops the schema that PGMQ's own installer made, unless there are queues in it by now.
pub(super) async fn remove_if_unused(transaction: &Transaction<'_>) -> Result<(), MigrateError> {
    if is_installed(transaction).await?
        && holds(transaction, "not exists (select from pgmq.meta)").await?
    {
        execute(transaction, "drop schema pgmq cascade").await?;
    }
    Ok(())
}

#[cfg(feature = "embedded-pgmq")]
async fn install_embedded(settings: &ConnectionSettings) -> Result<(), MigrateError> {
    pgmq_installer::install(settings)
        .await
        .map_err(MigrateError::EmbeddedPgmq)
}

#[cfg(not(feature = "embedded-pgmq"))]
#[expect(
    clippy::unused_async,
    reason = "the same signature as with the feature"
)]
async fn install_embedded(_settings: &ConnectionSettings) -> Result<(), MigrateError> {
    Err(MigrateError::NoPgmq)
}

async fn execute(transaction: &Transaction<'_>, statement: &str) -> Result<(), MigrateError> {
    transaction
        .batch_execute(statement)
        .await
        .map_err(MigrateError::Queue)
}

async fn holds(transaction: &Transaction<'_>, condition: &str) -> Result<bool, MigrateError> {
    let rows = transaction
        .query_typed(&format!("select {condition}"), &[])
        .await
        .map_err(MigrateError::Queue)?;
    Ok(rows.iter().any(|row| row.get(0)))
}
