//! One batch, that a forced stop cancels: for the workers, and for the calls that come over HTTP.

use crate::db;
use crate::queue::{Batch, Queue, QueueError};
use crate::shutdown::Shutdown;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Stopping was forced, and the batch rolled back.
    Stopped,
    /// The session is not to be used any more.
    Lost(QueueError),
}

/// Processes one batch. When stopping is forced it is cancelled, and waited for all the same: only its
/// answer says whether it was rolled back, or had committed by then.
///
/// # Errors
/// See [`Unanswered`].
pub(crate) async fn process(
    queue: &Queue,
    at_most: Option<i32>,
    shutdown: &Shutdown,
) -> Result<Batch, Unanswered> {
    let processing = queue.process_batch(at_most);
    tokio::pin!(processing);
    tokio::select! {
        batch = &mut processing => return batch.map_err(Unanswered::Lost),
        () = shutdown.forced() => {}
    }
    if let Err(error) = queue.cancel_statement().await {
        tracing::debug!(error = db::describe(&error), "cancel request failed");
    }
    processing.await.map_err(|_| Unanswered::Stopped)
}
