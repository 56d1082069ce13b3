//! A sample: one reading of the queue and the ledger, for the gauges.

use std::time::Duration;

use strum::{IntoStaticStr, VariantArray};
use tokio_postgres::Row;

use super::batch::seconds;

/// One row of `lead_mover.sample`.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) queue_depth: u64,
    pub(crate) oldest_message_age: Duration,
    pub(crate) leads_remaining: u64,
    /// Active moves that are not paused, and that nothing in the queue works on.
    pub(crate) moves_stalled: u64,
    /// How many moves have each status.
    pub(crate) moves: Vec<(MoveStatus, u64)>,
}

/// `status` of a move, in the order of its life: the word that SQL uses, and the label `status` of
/// `lead_mover_migrations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum MoveStatus {
    Pending,
    Processing,
    Paused,
    Completed,
    CompletedWithErrors,
    Cancelled,
    Failed,
}

pub(super) fn sample_of(row: &Row) -> Result<Sample, tokio_postgres::Error> {
    let counts: serde_json::Value = row.try_get("status_counts")?;
    let count = |status: MoveStatus| counts[<&str>::from(status)].as_u64().unwrap_or_default();
    Ok(Sample {
        queue_depth: row.try_get::<_, i64>("queue_depth")?.unsigned_abs(),
        oldest_message_age: seconds(row.try_get("oldest_message_age_seconds")?).unwrap_or_default(),
        leads_remaining: row.try_get::<_, i64>("leads_remaining")?.unsigned_abs(),
        moves_stalled: row.try_get::<_, i64>("migrations_stalled")?.unsigned_abs(),
        moves: MoveStatus::VARIANTS
            .iter()
            .map(|&status| (status, count(status)))
            .collect(),
    })
}
