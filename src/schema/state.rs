//! What a database has, compared with what this binary has.

use std::sync::LazyLock;

use postgres_types::Type;
use tokio_postgres::Client;

use super::files::{REMOVED, recorded};
use super::signs::is_gone;

/// Whether a database has the schema of this binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaState {
    /// Nothing of ours is there.
    Missing,
    /// Some files are missing or differ: run `migrate`.
    Outdated,
    /// Every file is there, with the text that this binary has.
    Current,
    /// There are files that this binary does not know: a newer one was here, and this one has to be upgraded.
    Newer,
}

/// The paths of the files that a current database has, and their checksums: asked for again and again,
/// and worked out once.
static WANTED: LazyLock<(Vec<&str>, Vec<String>)> =
    LazyLock::new(|| recorded().map(|file| (file.path, file.checksum())).unzip());

/// Compares what was applied to a database with what this binary has.
///
/// # Errors
/// When the server does not answer.
pub async fn schema_state(client: &Client) -> Result<SchemaState, tokio_postgres::Error> {
    let memory = client
        .query_typed(
            "select to_regclass('lead_mover.schema_files') is not null",
            &[],
        )
        .await?;
    if !memory.iter().any(|row| row.get(0)) {
        return Ok(SchemaState::Missing);
    }
    let (paths, checksums) = &*WANTED;
    let rows = client
        .query_typed(
            "select
               (
                 select coalesce(bool_and(s.path is not null), false)
                 from unnest($1, $2) as wanted (path, checksum)
                 left join lead_mover.schema_files s using (path, checksum)
               ),
               (select array_agg(s.path) from lead_mover.schema_files s where s.path <> all ($1))",
            &[(paths, Type::TEXT_ARRAY), (checksums, Type::TEXT_ARRAY)],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(SchemaState::Outdated);
    };
    let others: Option<Vec<String>> = row.try_get(1)?;
    Ok(if others.iter().flatten().any(|path| is_newer(path)) {
        SchemaState::Newer
    } else if row.try_get(0)? {
        SchemaState::Current
    } else {
        SchemaState::Outdated
    })
}

/// Whether a path that a database remembers must be a newer lead-mover's.
fn is_newer(path: &str) -> bool {
    recorded().all(|file| file.path != path) && !REMOVED.contains(&path)
}

/// The ledger's indexes, which `indexes.sql` makes.
const INDEXES: [&str; 3] = [
    "moves_one_active_per_run",
    "moves_retry_of_idx",
    "moves_run_id_idx",
];

/// The files whose functions, views, policies or triggers are not there, whatever the database remembers of them, and
/// the indexes that are not there.
///
/// # Errors
/// When the server does not answer.
pub(crate) async fn missing_objects(client: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    // Doctor has a check of its own for the trigger that notifies, which may be disabled too.
    let mut conditions: Vec<String> = recorded()
        .filter(|file| file.path != "triggers/lead_migration_queued.sql")
        .filter_map(|file| Some(format!("('{}', {})", file.path, is_gone(file)?)))
        .collect();
    conditions.extend(INDEXES.map(|index| {
        format!(
            "('index lead_mover.{index}', not exists (select from pg_catalog.pg_class c \
             where c.relnamespace = 'lead_mover'::regnamespace and c.relname = '{index}'))"
        )
    }));
    let query = format!(
        "select w.path from (values {}) as w (path, is_gone) where w.is_gone order by w.path",
        conditions.join(", ")
    );
    let rows = client.query_typed(&query, &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
