//! Whether the update of leads can be planned: the catalogs do not show all that a view may be.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::finding::{Check, Finding, Status};

/// The checks that the catalogs made, with what came out of planning the update where they found nothing wrong.
/// Planning writes nothing, and is allowed on a standby.
pub(super) async fn with_update(
    client: &Client,
    mut checks: Vec<Check>,
) -> Result<Vec<Check>, tokio_postgres::Error> {
    for check in &mut checks {
        if check.check == "mapping"
            && check.status == Status::Ok
            && let Some(finding) = plan_update(client).await?
        {
            *check = finding.named("mapping");
        }
    }
    Ok(checks)
}

/// What is wrong; none also where this role may not update leads itself, as the functions do it with their owner's
/// rights.
async fn plan_update(client: &Client) -> Result<Option<Finding>, tokio_postgres::Error> {
    let columns = client
        .query_typed(
            "select a.attname::text
             from pg_catalog.pg_attribute a
             join pg_catalog.pg_class c on c.oid = a.attrelid
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'lead_mover'
               and c.relname = 'leads'
               and a.attname in ('funnel_id', 'column_id')
             order by a.attnum",
            &[],
        )
        .await?;
    for row in columns {
        let column: &str = row.try_get(0)?;
        let statement =
            format!("explain update lead_mover.leads l set {column} = null where l.id is null");
        match client.query_typed(&statement, &[]).await {
            Ok(_) => {}
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {}
            Err(error) if error.code().is_none() => return Err(error),
            Err(error) => {
                return Ok(Some(Finding::failure(
                    format!(
                        "nothing can be written through lead_mover.leads.{column}: {}",
                        pg_connection::describe(&error)
                    ),
                    "run: lead-mover migrate (it says what to change; docs/mapping.md has examples)",
                )));
            }
        }
    }
    Ok(None)
}
