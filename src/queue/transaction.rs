//! Calls that set the isolation of their transaction.

use super::{Queue, QueueError};

impl Queue {
    /// Makes a call of this session in a transaction of its own that is read committed, whatever the database
    /// has transactions begin with: a stricter one could not change what it has waited for (SQLSTATE 40001).
    ///
    /// # Errors
    /// [`QueueError::Begin`], [`QueueError::Commit`], and those of the call, which is then rolled back.
    pub async fn read_committed<T>(
        &self,
        call: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        self.client
            .batch_execute("begin isolation level read committed")
            .await
            .map_err(QueueError::Begin)?;
        let answer = call.await;
        // After an error in the transaction it rolls back.
        let committed = self.client.batch_execute("commit").await;
        let answer = answer?;
        committed.map_err(QueueError::Commit)?;
        Ok(answer)
    }
}
