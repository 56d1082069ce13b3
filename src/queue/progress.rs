//! How far a move is.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;

use super::Id;

/// `$1` is the run, null for all.
pub(super) const STATEMENT: &str = "select
   p.migration_id, to_jsonb(p.run_id) as run_id, p.run_name, to_jsonb(p.funnel_id) as funnel_id,
   to_jsonb(p.column_id) as column_id, p.status, p.total, p.moved, p.remaining, p.rejected, p.percent,
   p.leads_per_second, p.eta_seconds, p.queued_at, p.started_at, p.last_batch_at, p.finished_at, p.attempts, p.last_error
 from public.get_lead_migration_progress($1) p";

/// One row of `get_lead_migration_progress`; the names are SQL's.
#[derive(Debug, Clone, Serialize)]
#[expect(
    missing_docs,
    reason = "the README describes the columns of the SQL function"
)]
pub struct Progress {
    pub migration_id: i64,
    pub run_id: Option<Id>,
    pub run_name: Option<String>,
    pub funnel_id: Option<Id>,
    pub column_id: Option<Id>,
    pub status: String,
    pub total: i64,
    pub moved: i64,
    pub remaining: i64,
    pub rejected: i64,
    pub percent: f64,
    pub leads_per_second: Option<f64>,
    pub eta_seconds: Option<f64>,
    pub queued_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub last_batch_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    pub last_error: Option<String>,
}

impl Progress {
    /// Whether the move has reached a status that it keeps.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }
}

pub(super) fn progress_of(row: &Row) -> Result<Progress, tokio_postgres::Error> {
    Ok(Progress {
        migration_id: row.try_get("migration_id")?,
        run_id: row.try_get("run_id")?,
        run_name: row.try_get("run_name")?,
        funnel_id: row.try_get("funnel_id")?,
        column_id: row.try_get("column_id")?,
        status: row.try_get("status")?,
        total: row.try_get("total")?,
        moved: row.try_get("moved")?,
        remaining: row.try_get("remaining")?,
        rejected: row.try_get("rejected")?,
        percent: row.try_get("percent")?,
        leads_per_second: row.try_get("leads_per_second")?,
        eta_seconds: row.try_get("eta_seconds")?,
        queued_at: row.try_get("queued_at")?,
        started_at: row.try_get("started_at")?,
        last_batch_at: row.try_get("last_batch_at")?,
        finished_at: row.try_get("finished_at")?,
        attempts: row.try_get("attempts")?,
        last_error: row.try_get("last_error")?,
    })
}
