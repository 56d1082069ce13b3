//! Active moves that nothing works on, and runs whose last move has failed.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::finding::Finding;

pub(super) async fn check(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select count(*), (pg_catalog.array_agg(last.run_id::text order by last.migration_id desc))[1]
             from (
               select distinct on (p.run_id) p.run_id, p.migration_id, p.status
               from public.get_lead_migration_progress() p
               order by p.run_id, p.migration_id desc
             ) last
             where last.status = 'failed'",
            &[],
        )
        .await?;
    let (failed, newest): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let stalled = match stalled(client).await {
        Ok(stalled) => stalled.unwrap_or_default(),
        // There is no queue.
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
            return Ok(Finding::skipped_because_of("pgmq"));
        }
        Err(error) => return Err(error),
    };
    Ok(match newest {
        _ if stalled > 0 => Finding::failure(
            format!(
                "{stalled} active moves have no message in the queue, or one that is due too late"
            ),
            "run: lead-mover migrate (it sends the messages again)",
        ),
        None => Finding::ok("no active move lacks a message, and no run's last move has failed"),
        Some(run) => Finding::warning(
            format!("the last move of {failed} runs has failed"),
            format!(
                "see lead-mover status for the causes, fix them, and run: lead-mover retry {run}"
            ),
        ),
    })
}

/// How many moves nothing in the queue works on; none where this role may not take samples, as check `grants`
/// says, or where an older version is installed. A sample writes nothing in a transaction that only reads.
async fn stalled(client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
    client.batch_execute("begin read only").await?;
    let sample = client
        .query_typed_one(
            "select (pg_catalog.to_jsonb(s) ->> 'migrations_stalled')::bigint from lead_mover.sample() s",
            &[],
        )
        .await;
    client.batch_execute("rollback").await?;
    match sample {
        Ok(row) => row.try_get(0),
        Err(error) if is_of_the_grants(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_of_the_grants(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}
