//! Batches in flight on one session, one or several, that a forced stop cancels: for the workers, and for
//! requests over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use crate::queue::{Batch, Queue, QueueError};
use crate::shutdown::Shutdown;

/// Why there is no result. The session is not to be used any more.
#[derive(Debug)]
pub(crate) enum PipelineError {
    /// Stopping was forced, and the batch rolled back.
    Stopped,
    /// The connection broke, or the server did not answer in time.
    ConnectionLost(QueueError),
}

/// The batches of one session that are in flight, each a transaction of its own. The server processes them
/// one after another, as they were sent.
pub(crate) struct Pipeline<'session> {
    queue: &'session Queue,
    shutdown: &'session Shutdown,
    response_timeout: Duration,
    in_flight: FuturesOrdered<PendingBatch<'session>>,
    /// When the server was last seen to begin a batch.
    begun: Instant,
}

type PendingBatch<'session> =
    Pin<Box<dyn Future<Output = Result<Batch, QueueError>> + Send + 'session>>;

impl<'session> Pipeline<'session> {
    pub(crate) fn new(
        queue: &'session Queue,
        shutdown: &'session Shutdown,
        response_timeout: Duration,
    ) -> Self {
        Self {
            queue,
            shutdown,
            response_timeout,
            in_flight: FuturesOrdered::new(),
            begun: Instant::now(),
        }
    }

    /// How many batches are in flight.
    pub(crate) fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// Adds a batch; [`Pipeline::next_result`] sends it.
    pub(crate) fn push(&mut self, at_most: Option<i32>) {
        if self.in_flight.is_empty() {
            self.begun = Instant::now();
        }
        self.in_flight
            .push_back(Box::pin(self.queue.process_batch(at_most)));
    }

    /// The result of the oldest batch, and how long the server took for it; `None` where none is in flight.
    /// When stopping is forced the batches are cancelled, and waited for all the same: only the result shows
    /// whether a batch was rolled back, or had committed by then.
    ///
    /// # Errors
    /// See [`PipelineError`].
    pub(crate) async fn next_result(&mut self) -> Result<Option<(Batch, Duration)>, PipelineError> {
        let waiting = tokio::time::timeout(self.response_timeout, self.in_flight.next());
        let result = tokio::select! {
            result = waiting => {
                result.map_err(|_| PipelineError::ConnectionLost(QueueError::NoResponse))?
            }
            () = self.shutdown.forced() => self.cancel().await,
        };
        let Some(result) = result else {
            return Ok(None);
        };
        let batch = result.map_err(|error| {
            if self.shutdown.is_forced() {
                PipelineError::Stopped
            } else {
                PipelineError::ConnectionLost(error)
            }
        })?;
        let begun = std::mem::replace(&mut self.begun, Instant::now());
        Ok(Some((batch, begun.elapsed())))
    }

    /// The result of the first batch that had committed before the cancel request reached it.
    async fn cancel(&mut self) -> Option<Result<Batch, QueueError>> {
        let mut result = None;
        while !self.in_flight.is_empty() {
            // It cancels the batch that the server is at; the next needs another.
            if let Err(error) = self.queue.cancel_statement().await {
                tracing::debug!(
                    error = pg_connection::describe(&error),
                    "cancel request failed"
                );
            }
            result = self.in_flight.next().await;
            if matches!(result, Some(Ok(_))) {
                break;
            }
        }
        result
    }
}
