//! Whether the database has this binary's schema.

use tokio_postgres::Client;

use super::finding::Finding;
use crate::schema::{SchemaState, files_of_missing_functions};

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
        SchemaState::Outdated => Finding::failure(
            "the schema is that of another version, or not all of it is there",
            "run: lead-mover migrate",
        ),
        SchemaState::Newer => Finding::failure(
            format!("the schema is that of a newer lead-mover than this one ({VERSION})"),
            "upgrade lead-mover, the service too; migrate does not go back",
        ),
        SchemaState::Current => {
            let missing = files_of_missing_functions(client).await?;
            if missing.is_empty() {
                Finding::ok(format!("the schema is that of lead-mover {VERSION}"))
            } else {
                dropped(&missing)
            }
        }
    })
}

/// `migrate` goes by `schema_files`, so it has to forget the files first. Paths of ours need no quoting.
fn dropped(files: &[String]) -> Finding {
    Finding::failure(
        format!("functions were dropped: {}", files.join(", ")),
        format!(
            "run: delete from lead_mover.schema_files where path in ('{}'); then run: lead-mover migrate",
            files.join("', '")
        ),
    )
}
