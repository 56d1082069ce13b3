//! What a database has, compared with what this binary has.

use std::sync::LazyLock;

use postgres_types::Type;
use tokio_postgres::Client;

use super::files::{LIVING, REMOVED, recorded};

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

/// The files whose functions are not there, whatever the database remembers of them.
///
/// # Errors
/// When the server does not answer.
pub(crate) async fn files_of_missing_functions(
    client: &Client,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let functions = LIVING
        .iter()
        .filter_map(|file| Some((file, file.function()?)));
    let (paths, (schemas, names)): (Vec<_>, (Vec<_>, Vec<_>)) = functions
        .map(|(file, function)| (file.path, function))
        .unzip();
    let rows = client
        .query_typed(
            "select wanted.path
             from unnest($1, $2, $3) as wanted (path, schema_name, function_name)
             where not exists (
               select
               from pg_catalog.pg_proc p
               join pg_catalog.pg_namespace n on n.oid = p.pronamespace
               where n.nspname = wanted.schema_name
                 and p.proname = wanted.function_name
             )
             order by wanted.path",
            &[
                (&paths, Type::TEXT_ARRAY),
                (&schemas, Type::TEXT_ARRAY),
                (&names, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
