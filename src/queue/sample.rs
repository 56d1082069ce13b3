//! The queue and the ledger in numbers.

use std::time::Duration;

use tokio_postgres::Row;

use super::batch::seconds;

/// What the gauges show.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) queue_depth: u64,
    pub(crate) oldest_message_age: Duration,
    pub(crate) leads_remaining: u64,
    pub(crate) migrations: Vec<(&'static str, u64)>,
}

/// The values of `status`, in the order of a move's life.
pub(crate) const STATUSES: [&str; 7] = [
    "pending",
    "processing",
    "paused",
    "completed",
    "completed_with_errors",
    "cancelled",
    "failed",
];

pub(super) fn sample_of(row: &Row) -> Result<Sample, tokio_postgres::Error> {
    let counts: serde_json::Value = row.try_get("status_counts")?;
    Ok(Sample {
        queue_depth: row.try_get::<_, i64>("queue_depth")?.unsigned_abs(),
        oldest_message_age: seconds(row.try_get("oldest_message_age_seconds")?).unwrap_or_default(),
        leads_remaining: row.try_get::<_, i64>("leads_remaining")?.unsigned_abs(),
        migrations: STATUSES
            .map(|status| (status, counts[status].as_u64().unwrap_or_default()))
            .to_vec(),
    })
}
