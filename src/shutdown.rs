//! Asking the service to stop, first kindly, then at once.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The two steps of stopping; clones speak of the same service.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Shutdown {
    /// No new batch; the running ones may finish.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// The running batches are cancelled, and roll back.
    pub fn force(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// Whether stopping has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Whether stopping is forced.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.hard.is_cancelled()
    }

    /// Returns when stopping begins.
    pub async fn begun(&self) {
        self.soft.cancelled().await;
    }

    /// Returns when stopping is forced.
    pub async fn forced(&self) {
        self.hard.cancelled().await;
    }

    /// What `work` answers, or `None` when stopping began first; `work` is dropped then.
    pub(crate) async fn or_begun<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.soft.run_until_cancelled(work).await
    }

    /// Waits; `false` when stopping began meanwhile.
    pub(crate) async fn sleep(&self, delay: Duration) -> bool {
        tokio::time::timeout(delay, self.soft.cancelled())
            .await
            .is_err()
    }
}
