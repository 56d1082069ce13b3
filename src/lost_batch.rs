//! Finds out which message's batch fails in a way that the database could not record: at its commit, or by taking
//! its session with it. The failure is recorded in the next session, so that the message does not stay the first.

use tokio_postgres::error::SqlState;

use crate::error::{self, ErrorKind};
use crate::queue::{Queue, QueueError};

/// What one worker knows of its lost batches, from session to session.
#[derive(Debug, Default)]
pub(crate) struct LostBatches {
    /// A batch was lost, and of which message is unknown: before the next batch the worker asks.
    asks: bool,
    /// The message that the next batch is going to take, if the worker has asked.
    next: Option<i64>,
    /// The message whose commit failed last because another transaction was in the way.
    in_the_way_of: Option<i64>,
    /// A failure that is not recorded yet.
    unrecorded: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    message_id: i64,
    sqlstate: String,
    error: String,
}

impl LostBatches {
    /// Whether the next batch must be the only one in flight.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    /// To be called before a batch is sent: records the failure that is known, and asks which message is next.
    ///
    /// # Errors
    /// [`QueueError::LostBatch`].
    pub(crate) async fn settle(&mut self, queue: &Queue) -> Result<(), QueueError> {
        if let Some(failure) = &self.unrecorded {
            let recorded = queue
                .record_lost_batch(failure.message_id, &failure.sqlstate, &failure.error)
                .await;
            if unless_denied(recorded)?.is_some() {
                tracing::warn!(
                    message_id = failure.message_id,
                    sqlstate = failure.sqlstate,
                    error = failure.error,
                    "a batch was lost: recorded as a failure of its move"
                );
            }
            self.unrecorded = None;
        }
        if self.asks {
            self.next = unless_denied(queue.next_message_id().await)?.flatten();
        }
        Ok(())
    }

    /// A batch was answered.
    pub(crate) fn answered(&mut self) {
        self.asks = false;
        self.next = None;
        self.in_the_way_of = None;
    }

    /// A batch was not answered, or its commit failed.
    pub(crate) fn lost(&mut self, error: &QueueError) {
        let message_id = match error {
            QueueError::CommitBatch(message_id, _) if error::is_retryable(error) => {
                // Once is usual where transactions are serializable.
                let again = self.in_the_way_of.replace(*message_id) == Some(*message_id);
                again.then_some(*message_id)
            }
            QueueError::CommitBatch(message_id, _) => Some(*message_id),
            _ if error::is_retryable(error) && !is_cancelled(error) => None,
            // A matter of the installation, and of no batch.
            _ if matches!(ErrorKind::of(error), ErrorKind::Access | ErrorKind::Schema) => None,
            _ => {
                self.asks = true;
                self.next.take()
            }
        };
        let (sqlstate, text) = error::db_error(error).map_or_else(
            || {
                (
                    &SqlState::CONNECTION_FAILURE,
                    pg_connection::describe(error),
                )
            },
            |error| (error.code(), error.message().to_owned()),
        );
        self.unrecorded = message_id.map(|message_id| Failure {
            message_id,
            sqlstate: sqlstate.code().to_owned(),
            error: text,
        });
    }
}

/// Cancelled from outside, or by a batch that says so.
fn is_cancelled(error: &QueueError) -> bool {
    error::db_error(error).is_some_and(|error| *error.code() == SqlState::QUERY_CANCELED)
}

/// `None` where the role may not call the function, because an operator has granted it what an earlier version
/// needed.
fn unless_denied<T>(result: Result<T, QueueError>) -> Result<Option<T>, QueueError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if ErrorKind::of(&error) == ErrorKind::Access => {
            tracing::warn!(
                error = pg_connection::describe(&error),
                "the failure of a batch cannot be recorded: see the grants for the role of `serve`"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
