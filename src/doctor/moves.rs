//! Runs whose last move has failed.

use postgres_types::Type;
use tokio_postgres::Client;
use uuid::Uuid;

use super::finding::Finding;

pub(super) async fn check(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select count(*), (pg_catalog.array_agg(last.run_id order by last.migration_id desc))[1]
             from (
               select distinct on (p.run_id) p.run_id, p.migration_id, p.status
               from public.get_lead_migration_progress($1) p
               order by p.run_id, p.migration_id desc
             ) last
             where last.status = 'failed'",
            &[(&None::<Uuid>, Type::UUID)],
        )
        .await?;
    let (failed, newest): (i64, Option<Uuid>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match newest {
        None => Finding::ok("no run's last move has failed"),
        Some(run) => Finding::warning(
            format!("the last move of {failed} runs has failed"),
            format!(
                "see lead-mover status for the causes, fix them, and run: lead-mover retry {run}"
            ),
        ),
    })
}
