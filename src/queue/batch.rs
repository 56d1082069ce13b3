//! Processes batches, and reads what became of each.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use postgres_types::Type;
use strum::{EnumString, IntoStaticStr, VariantArray};
use tokio_postgres::Row;

use super::{Id, Queue, QueueError};

/// How a batch ended: the word that SQL uses, and the label `outcome` of `lead_mover_batches_total` (all but
/// `idle`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Nothing was due.
    Idle,
    /// It went through.
    Moved,
    /// It was undone, and comes back by itself.
    Failed,
    /// The move has failed for good.
    MoveFailed,
    /// A message that an application had sent was archived.
    MessageArchived,
}

impl Outcome {
    /// A word that this binary does not know is a newer schema's; nothing moved that it could count.
    fn from_sql(word: &str) -> Self {
        word.parse().unwrap_or(Self::Idle)
    }
}

/// One row of `lead_mover.process_batch`.
#[derive(Debug, Clone)]
pub struct Batch {
    /// How it ended.
    pub outcome: Outcome,
    /// The message that was processed; `None` when idle.
    pub message_id: Option<i64>,
    /// The run it belongs to, where the message names one.
    pub run_id: Option<Id>,
    /// That run's name, where it has one.
    pub run_name: Option<String>,
    /// Leads that changed place.
    pub leads_moved: u32,
    /// Leads that were rejected.
    pub leads_rejected: u32,
    /// Leads of the whole move that have not had their turn.
    pub leads_remaining: u64,
    /// The text for users, in Portuguese; the cause where it failed.
    pub message: Option<String>,
    /// Since the move was queued; only from the first batch of a move.
    pub pickup: Option<Duration>,
    /// When to look again; only when idle, and only if a message waits.
    pub next_due: Option<Duration>,
}

impl Queue {
    /// Processes one batch of one message, in a transaction of its own: as many leads as its move was
    /// queued with, and no more than `at_most` (1 to 10 000).
    ///
    /// # Errors
    /// [`QueueError::ProcessBatch`], or [`QueueError::CommitBatch`] where the batch could not be committed. A batch
    /// that fails on its leads is an outcome, not an error.
    pub async fn process_batch(&self, at_most: Option<i32>) -> Result<Batch, QueueError> {
        let rows = self
            .client
            .query_typed_raw(
                "select
                   b.outcome, b.message_id, to_jsonb(b.run_id) as run_id, b.run_name, b.leads_moved, b.leads_rejected,
                   b.leads_remaining, b.message, b.pickup_seconds, b.next_due_seconds
                 from lead_mover.process_batch($1) b",
                [(at_most, Type::INT4)],
            )
            .await
            .map_err(QueueError::ProcessBatch)?;
        futures_util::pin_mut!(rows);
        let row = rows.try_next().await.map_err(QueueError::ProcessBatch)?;
        let batch = row
            .map(|row| batch_of(&row).map_err(QueueError::ProcessBatch))
            .transpose()?
            .ok_or(QueueError::NoResponse)?;
        // The row comes before the error of the commit.
        match (rows.try_next().await, batch.message_id) {
            (Ok(_), _) => Ok(batch),
            (Err(error), Some(message_id)) => Err(QueueError::CommitBatch(message_id, error)),
            (Err(error), None) => Err(QueueError::ProcessBatch(error)),
        }
    }

    /// The message that the next batch is going to take.
    ///
    /// # Errors
    /// [`QueueError::LostBatch`].
    pub(crate) async fn next_message_id(&self) -> Result<Option<i64>, QueueError> {
        self.client
            .query_typed_one("select lead_mover.next_message_id()", &[])
            .await
            .and_then(|row| row.try_get(0))
            .map_err(QueueError::LostBatch)
    }

    /// Records a failure that `process_batch` could not record itself, as an attempt of the message's move.
    ///
    /// # Errors
    /// [`QueueError::LostBatch`].
    pub(crate) async fn record_lost_batch(
        &self,
        message_id: i64,
        sqlstate: &str,
        error: &str,
    ) -> Result<(), QueueError> {
        self.client
            .query_typed(
                "select lead_mover.record_lost_batch($1, $2, $3)",
                &[
                    (&message_id, Type::INT8),
                    (&sqlstate, Type::TEXT),
                    (&error, Type::TEXT),
                ],
            )
            .await
            .map(|_rows| ())
            .map_err(QueueError::LostBatch)
    }
}

fn batch_of(row: &Row) -> Result<Batch, tokio_postgres::Error> {
    Ok(Batch {
        outcome: Outcome::from_sql(row.try_get("outcome")?),
        message_id: row.try_get("message_id")?,
        run_id: row.try_get("run_id")?,
        run_name: row.try_get("run_name")?,
        leads_moved: row.try_get::<_, i32>("leads_moved")?.unsigned_abs(),
        leads_rejected: row.try_get::<_, i32>("leads_rejected")?.unsigned_abs(),
        leads_remaining: row.try_get::<_, i64>("leads_remaining")?.unsigned_abs(),
        message: row.try_get("message")?,
        pickup: row
            .try_get::<_, Option<f64>>("pickup_seconds")?
            .and_then(seconds),
        next_due: row
            .try_get::<_, Option<f64>>("next_due_seconds")?
            .and_then(seconds),
    })
}

/// Seconds as `PostgreSQL` gives them; `None` for what is no time to wait (negative, not a number).
pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}
