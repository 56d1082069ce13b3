//! Calls that process batches, one or several in flight on one session, that a forced stop cancels: for the
//! workers, and for what comes over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use crate::db;
use crate::queue::{Batch, Queue, QueueError};
use crate::shutdown::Shutdown;

/// How long an answer may be owed. The server gives up first (`statement_timeout`); so this is a server
/// that is gone without a word, or a pooler that never gave the session one.
const ANSWER_DEADLINE: Duration = Duration::from_secs(90);

/// Why there is no answer. The session is not to be used any more.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Stopping was forced, and the batch rolled back.
    Stopped,
    /// The session is of no use any more.
    Lost(QueueError),
}

/// The calls of one session that are in flight, each a transaction of its own. The server takes them up one
/// after another, as they were sent.
pub(crate) struct Calls<'session> {
    queue: &'session Queue,
    shutdown: &'session Shutdown,
    in_flight: FuturesOrdered<Call<'session>>,
    /// When the server was last seen to begin a call.
    begun: Instant,
}

type Call<'session> = Pin<Box<dyn Future<Output = Result<Batch, QueueError>> + Send + 'session>>;

impl<'session> Calls<'session> {
    pub(crate) fn new(queue: &'session Queue, shutdown: &'session Shutdown) -> Self {
        Self {
            queue,
            shutdown,
            in_flight: FuturesOrdered::new(),
            begun: Instant::now(),
        }
    }

    /// How many are in flight.
    pub(crate) fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// One more; it is sent by the next [`Calls::answer`].
    pub(crate) fn send(&mut self, at_most: Option<i32>) {
        if self.in_flight.is_empty() {
            self.begun = Instant::now();
        }
        self.in_flight
            .push_back(Box::pin(self.queue.process_batch(at_most)));
    }

    /// The answer to the oldest, and how long the server took for it; `None` where none is in flight. When
    /// stopping is forced they are cancelled, and waited for all the same: only the answer says whether a
    /// batch was rolled back, or had committed by then.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub(crate) async fn answer(&mut self) -> Result<Option<(Batch, Duration)>, Unanswered> {
        let answering = tokio::time::timeout(ANSWER_DEADLINE, self.in_flight.next());
        let answer = tokio::select! {
            answer = answering => answer.map_err(|_| Unanswered::Lost(QueueError::Silent))?,
            () = self.shutdown.forced() => self.cancelled_answer().await,
        };
        let Some(answer) = answer else {
            return Ok(None);
        };
        let batch = answer.map_err(|error| {
            if self.shutdown.is_forced() {
                Unanswered::Stopped
            } else {
                Unanswered::Lost(error)
            }
        })?;
        let begun = std::mem::replace(&mut self.begun, Instant::now());
        Ok(Some((batch, begun.elapsed())))
    }

    /// The answer to the first of them that had committed before the cancel reached it.
    async fn cancelled_answer(&mut self) -> Option<Result<Batch, QueueError>> {
        let mut answer = None;
        while !self.in_flight.is_empty() {
            // It cancels the one that the server is at; the next needs another.
            if let Err(error) = self.queue.cancel_statement().await {
                tracing::debug!(error = db::describe(&error), "cancel request failed");
            }
            answer = self.in_flight.next().await;
            if matches!(answer, Some(Ok(_))) {
                break;
            }
        }
        answer
    }
}
