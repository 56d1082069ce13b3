//! The statements that the service and the command line send, one typed method each.
//!
//! It never sleeps, retries, logs or counts. Statements are unnamed (`query_typed`), so that they
//! pass through poolers that share sessions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use thiserror::Error;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::db::{self, ConnectError, ConnectionSettings};
use crate::migrate::{self, SchemaState};

/// Which statement failed.
#[derive(Debug, Error)]
pub enum QueueError {
    /// No session.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// `lead_mover.process_batch`.
    #[error("cannot process a batch")]
    ProcessBatch(#[source] tokio_postgres::Error),
    /// `lead_mover.sample`.
    #[error("cannot sample the queue")]
    Sample(#[source] tokio_postgres::Error),
    /// Which schema the database has.
    #[error("cannot read which schema the database has")]
    Schema(#[source] tokio_postgres::Error),
    /// `queue_lead_migration`.
    #[error("cannot queue the move")]
    Enqueue(#[source] tokio_postgres::Error),
    /// `get_lead_migration_progress`.
    #[error("cannot read the progress")]
    Progress(#[source] tokio_postgres::Error),
    /// `cancel_lead_migration` and its like.
    #[error("cannot {0} the move")]
    Control(Control, #[source] tokio_postgres::Error),
}

/// What can be done to the move of a run, all with the same parameter and answer.
#[derive(Debug, Clone, Copy)]
pub enum Control {
    /// `cancel_lead_migration`
    Cancel,
    /// `pause_lead_migration`
    Pause,
    /// `resume_lead_migration`
    Resume,
    /// `retry_lead_migration`
    Retry,
}

impl std::fmt::Display for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
        })
    }
}

/// How a batch ended; the label `outcome` of `lead_mover_batches_total` (all but `Idle`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was due.
    Idle,
    /// It went through.
    Moved,
    /// It was undone, and comes back by itself.
    Failed,
    /// The move has failed for good.
    Ended,
    /// A message that an application had sent was archived.
    Refused,
}

impl Outcome {
    /// Those of a batch, for the metrics that exist from the start.
    pub(crate) const OF_BATCHES: [Self; 4] =
        [Self::Moved, Self::Failed, Self::Ended, Self::Refused];

    /// The word that SQL uses, and the metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Moved => "moved",
            Self::Failed => "failed",
            Self::Ended => "ended",
            Self::Refused => "refused",
        }
    }

    /// A word that this binary does not know is a newer schema's; nothing moved that it could count.
    fn from_label(label: &str) -> Self {
        Self::OF_BATCHES
            .into_iter()
            .find(|outcome| outcome.label() == label)
            .unwrap_or(Self::Idle)
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
    pub run_id: Option<Uuid>,
    /// Leads that changed place.
    pub leads_moved: u32,
    /// Leads whose move was refused.
    pub leads_rejected: u32,
    /// Leads of the whole move that have not had their turn.
    pub leads_remaining: u64,
    /// The text for people, in Portuguese; the cause where it failed.
    pub text: Option<String>,
    /// Since the move was queued; only from the first batch of a move.
    pub pickup: Option<Duration>,
    /// When to look again; only when idle, and only if a message waits.
    pub next_due: Option<Duration>,
}

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

/// One row of `get_lead_migration_progress`; the names are SQL's.
#[derive(Debug, Clone, Serialize)]
#[expect(
    missing_docs,
    reason = "the README describes the columns of the SQL function"
)]
pub struct Progress {
    pub migration_id: i64,
    pub run_id: Uuid,
    pub run_name: Option<String>,
    pub funnel_id: Uuid,
    pub column_id: Uuid,
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

/// One session with the functions in it.
pub struct Queue {
    client: Client,
    settings: ConnectionSettings,
}

impl Queue {
    /// Opens a session that calls itself `application_name`.
    ///
    /// # Errors
    /// [`QueueError::Connect`].
    pub async fn connect(
        settings: &ConnectionSettings,
        application_name: &str,
    ) -> Result<Self, QueueError> {
        let client = db::open_session(settings, application_name).await?;
        Ok(Self {
            client,
            settings: settings.clone(),
        })
    }

    /// Processes one batch of one message, in a transaction of its own.
    ///
    /// # Errors
    /// [`QueueError::ProcessBatch`]; a batch that fails on its leads is an outcome, not an error.
    pub async fn process_batch(&self) -> Result<Batch, QueueError> {
        let row = self
            .client
            .query_typed_one("select * from lead_mover.process_batch()", &[])
            .await
            .map_err(QueueError::ProcessBatch)?;
        batch_of(&row).map_err(QueueError::ProcessBatch)
    }

    /// Asks the server to cancel the statement that runs in this session, from a connection beside
    /// it. The statement's transaction rolls back.
    pub(crate) async fn cancel_statement(&self) {
        if let Ok(tls) = self.settings.tls() {
            // Where this fails the connection is dropped all the same, and the server notices.
            if let Err(error) = self.client.cancel_token().cancel_query(tls).await {
                tracing::debug!(error = db::describe(&error), "cancel request failed");
            }
        }
    }

    pub(crate) async fn sample(&self) -> Result<Sample, QueueError> {
        let row = self
            .client
            .query_typed_one("select * from lead_mover.sample()", &[])
            .await
            .map_err(QueueError::Sample)?;
        sample_of(&row).map_err(QueueError::Sample)
    }

    /// Whether the database has the schema of this binary.
    ///
    /// # Errors
    /// [`QueueError::Schema`].
    pub async fn schema_state(&self) -> Result<SchemaState, QueueError> {
        migrate::schema_state(&self.client)
            .await
            .map_err(QueueError::Schema)
    }

    /// Calls `queue_lead_migration`; answers with its JSON.
    ///
    /// # Errors
    /// [`QueueError::Enqueue`], with SQLSTATE `LM001` to `LM004` where the move is refused.
    pub async fn enqueue(
        &self,
        run_id: Uuid,
        funnel_id: Uuid,
        column_id: Uuid,
        batch_size: Option<i32>,
    ) -> Result<serde_json::Value, QueueError> {
        self.client
            .query_typed_one(
                "select public.queue_lead_migration($1, $2, $3, $4)",
                &[
                    (&run_id, Type::UUID),
                    (&funnel_id, Type::UUID),
                    (&column_id, Type::UUID),
                    (&batch_size, Type::INT4),
                ],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(QueueError::Enqueue)
    }

    /// Calls one of the functions that change an active or finished move; answers with its JSON.
    ///
    /// # Errors
    /// [`QueueError::Control`].
    pub async fn control(
        &self,
        control: Control,
        run_id: Uuid,
    ) -> Result<serde_json::Value, QueueError> {
        let statement = match control {
            Control::Cancel => "select public.cancel_lead_migration($1)",
            Control::Pause => "select public.pause_lead_migration($1)",
            Control::Resume => "select public.resume_lead_migration($1)",
            Control::Retry => "select public.retry_lead_migration($1)",
        };
        self.client
            .query_typed_one(statement, &[(&run_id as &(dyn ToSql + Sync), Type::UUID)])
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| QueueError::Control(control, error))
    }

    /// The moves of one run or of all, newest first.
    ///
    /// # Errors
    /// [`QueueError::Progress`].
    pub async fn progress(&self, run_id: Option<Uuid>) -> Result<Vec<Progress>, QueueError> {
        self.client
            .query_typed(
                "select * from public.get_lead_migration_progress($1)",
                &[(&run_id, Type::UUID)],
            )
            .await
            .and_then(|rows| rows.iter().map(progress_of).collect())
            .map_err(QueueError::Progress)
    }

    /// The session itself, for what is no business of the queue's.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

fn batch_of(row: &Row) -> Result<Batch, tokio_postgres::Error> {
    Ok(Batch {
        outcome: Outcome::from_label(row.try_get("outcome")?),
        message_id: row.try_get("message_id")?,
        run_id: row.try_get("run_id")?,
        leads_moved: row.try_get::<_, i32>("leads_moved")?.unsigned_abs(),
        leads_rejected: row.try_get::<_, i32>("leads_rejected")?.unsigned_abs(),
        leads_remaining: row.try_get::<_, i64>("leads_remaining")?.unsigned_abs(),
        text: row.try_get("text_for_people")?,
        pickup: row
            .try_get::<_, Option<f64>>("pickup_seconds")?
            .and_then(seconds),
        next_due: row
            .try_get::<_, Option<f64>>("next_due_seconds")?
            .and_then(seconds),
    })
}

fn sample_of(row: &Row) -> Result<Sample, tokio_postgres::Error> {
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

fn progress_of(row: &Row) -> Result<Progress, tokio_postgres::Error> {
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

/// Seconds as PostgreSQL gives them; `None` for what is no time to wait (negative, not a number).
fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}
