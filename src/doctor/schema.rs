//! Whether the database has this binary's schema.

use tokio_postgres::Client;

use super::finding::Finding;
use crate::schema::{SchemaState, missing_objects};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn check(
    client: &Client,
    state: SchemaState,
) -> Result<Finding, tokio_postgres::Error> {
    Ok(match state {
        SchemaState::Missing => Finding::failure(
            "nothing of lead-mover is in this database",
            "run: lead-mover migrate",
        ),
        SchemaState::Outdated if is_copy_without_rows(client).await? => Finding::failure(
            "the schema is a copy without its rows, so it is not known which version it is of",
            "run: lead-mover migrate",
        ),
        SchemaState::Outdated => Finding::failure(
            "the schema is that of another version, or not all of it is there",
            "run: lead-mover migrate",
        ),
        SchemaState::Newer => Finding::failure(
            format!("the schema is that of a newer lead-mover than this one ({VERSION})"),
            "upgrade lead-mover, the service too; migrate does not go back",
        ),
        SchemaState::Current => {
            let missing = missing_objects(client).await?;
            if missing.is_empty() {
                Finding::ok(format!("the schema is that of lead-mover {VERSION}"))
            } else {
                dropped(&missing)
            }
        }
    })
}

fn dropped(files: &[String]) -> Finding {
    Finding::failure(
        format!("these were dropped: {}", files.join(", ")),
        "run: lead-mover migrate",
    )
}

/// As `pg_dump --schema-only` and a Supabase branch make them.
async fn is_copy_without_rows(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select not exists (select from lead_mover.schema_files)
               and pg_catalog.to_regclass('lead_mover.moves') is not null",
            &[],
        )
        .await?;
    row.try_get(0)
}
