//! The statements that the service and the command line send, one typed method each.
//!
//! It never sleeps, retries, logs or counts. Statements are unnamed (`query_typed`), so that they
//! pass through poolers that share sessions.

mod batch;
mod id;
mod progress;
mod sample;
mod transaction;

use postgres_types::{ToSql, Type};
use thiserror::Error;
use tokio_postgres::Client;

use crate::schema::{self, SchemaState};
use crate::session;
use id::IdText;
use pg_connection::{ConnectError, ConnectionSettings};
use progress::progress_of;
use sample::sample_of;

pub use batch::{Batch, Outcome};
pub use id::Id;
pub use progress::Progress;
pub(crate) use sample::{MoveStatus, Sample};

/// Which statement failed.
#[derive(Debug, Error)]
pub enum QueueError {
    /// No session.
    #[error("cannot connect to the database")]
    Connect(#[from] ConnectError),
    /// `lead_mover.process_batch`.
    #[error("cannot process a batch")]
    ProcessBatch(#[source] tokio_postgres::Error),
    /// The commit of `lead_mover.process_batch`, for the message with that id.
    #[error("cannot commit the batch of message {0}")]
    CommitBatch(i64, #[source] tokio_postgres::Error),
    /// `lead_mover.next_message_id` or `lead_mover.record_lost_batch`.
    #[error("cannot record the failure of a batch")]
    LostBatch(#[source] tokio_postgres::Error),
    /// An empty statement.
    #[error("the database does not answer")]
    Ping(#[source] tokio_postgres::Error),
    /// `reset all`.
    #[error("cannot reset the session")]
    Reset(#[source] tokio_postgres::Error),
    /// No answer within the time that any statement may take.
    #[error("the database does not answer")]
    NoResponse,
    /// The request to cancel the one that runs.
    #[error("cannot cancel the running statement")]
    CancelStatement(#[source] tokio_postgres::Error),
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
    /// `begin`.
    #[error("cannot begin a transaction")]
    Begin(#[source] tokio_postgres::Error),
    /// `commit`.
    #[error("cannot commit the transaction")]
    Commit(#[source] tokio_postgres::Error),
}

/// What can be done to the move of a run, all with the same parameter and answer.
#[derive(Debug, Clone, Copy, strum::Display)]
#[strum(serialize_all = "snake_case")]
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

/// One session with the functions in it.
pub struct Queue {
    client: Client,
    settings: ConnectionSettings,
}

impl Queue {
    /// Opens a session with that `application_name`.
    ///
    /// # Errors
    /// [`QueueError::Connect`].
    pub async fn connect(
        settings: &ConnectionSettings,
        application_name: &str,
    ) -> Result<Self, QueueError> {
        Ok(Self {
            client: pg_connection::open_session(settings, application_name).await?,
            settings: settings.clone(),
        })
    }

    /// The same, with the time-outs of a session that processes batches.
    ///
    /// # Errors
    /// [`QueueError::Connect`].
    pub(crate) async fn connect_worker(
        settings: &ConnectionSettings,
        application_name: &str,
    ) -> Result<Self, QueueError> {
        Ok(Self {
            client: session::open_worker_session(settings, application_name).await?,
            settings: settings.clone(),
        })
    }

    /// Sends an empty statement, and waits for the answer.
    ///
    /// # Errors
    /// [`QueueError::Ping`].
    pub(crate) async fn ping(&self) -> Result<(), QueueError> {
        self.client
            .check_connection()
            .await
            .map_err(QueueError::Ping)
    }

    /// Gives the session the settings back that it had when it was opened: a trigger of the lead table may have changed
    /// some for good.
    ///
    /// # Errors
    /// [`QueueError::Reset`].
    pub(crate) async fn reset(&self) -> Result<(), QueueError> {
        self.client
            .batch_execute("reset all")
            .await
            .map_err(QueueError::Reset)
    }

    /// Asks the server to cancel the statement that runs in this session, from a connection beside
    /// it. The statement's transaction rolls back.
    ///
    /// # Errors
    /// [`QueueError::CancelStatement`]; once the session is dropped, the server notices all the same.
    pub(crate) async fn cancel_statement(&self) -> Result<(), QueueError> {
        let tls = self.settings.tls().map_err(ConnectError::Tls)?;
        self.client
            .cancel_token()
            .cancel_query(tls)
            .await
            .map_err(QueueError::CancelStatement)
    }

    /// Takes a sample.
    ///
    /// # Errors
    /// [`QueueError::Sample`].
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
        schema::schema_state(&self.client)
            .await
            .map_err(QueueError::Schema)
    }

    /// Calls `queue_lead_migration`; returns its JSON.
    ///
    /// # Errors
    /// [`QueueError::Enqueue`], with SQLSTATE `LM001` to `LM004` where the move cannot be.
    pub async fn enqueue(
        &self,
        run_id: &str,
        funnel_id: &str,
        column_id: &str,
        batch_size: Option<i32>,
    ) -> Result<serde_json::Value, QueueError> {
        self.client
            .query_typed_one(
                "select public.queue_lead_migration($1, $2, $3, $4)",
                &[
                    (&IdText(run_id), Type::UNKNOWN),
                    (&IdText(funnel_id), Type::UNKNOWN),
                    (&IdText(column_id), Type::UNKNOWN),
                    (&batch_size, Type::INT4),
                ],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(QueueError::Enqueue)
    }

    /// Calls one of the functions that change an active or finished move; returns its JSON.
    ///
    /// # Errors
    /// [`QueueError::Control`].
    pub async fn control(
        &self,
        control: Control,
        run_id: &str,
    ) -> Result<serde_json::Value, QueueError> {
        let statement = match control {
            Control::Cancel => "select public.cancel_lead_migration($1)",
            Control::Pause => "select public.pause_lead_migration($1)",
            Control::Resume => "select public.resume_lead_migration($1)",
            Control::Retry => "select public.retry_lead_migration($1)",
        };
        self.client
            .query_typed_one(
                statement,
                &[(&IdText(run_id) as &(dyn ToSql + Sync), Type::UNKNOWN)],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| QueueError::Control(control, error))
    }

    /// The moves of one run or of all, newest first.
    ///
    /// # Errors
    /// [`QueueError::Progress`].
    pub async fn progress(&self, run_id: Option<&str>) -> Result<Vec<Progress>, QueueError> {
        self.client
            .query_typed(progress::STATEMENT, &[(&run_id.map(IdText), Type::UNKNOWN)])
            .await
            .and_then(|rows| rows.iter().map(progress_of).collect())
            .map_err(QueueError::Progress)
    }
}
