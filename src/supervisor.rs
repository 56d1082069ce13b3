//! Supervises the service's tasks: which are running, and what happens when one ends.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use thiserror::Error;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::health::HealthReporter;
use crate::shutdown::Shutdown;

/// Why the service ended without being stopped.
#[derive(Debug, Error)]
pub enum TaskError {
    /// A task ended that should have gone on.
    #[error("the {task} task ended unasked")]
    Ended {
        /// Which.
        task: &'static str,
    },
    /// A task panicked.
    #[error("the {task} task panicked")]
    Panicked {
        /// Which.
        task: &'static str,
        /// The panic.
        source: JoinError,
    },
}

/// How long stopping may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StopLimits {
    /// For running batches to finish.
    pub(crate) grace: Duration,
    /// For cancelled batches to roll back, after that.
    pub(crate) rollback: Duration,
}

/// The tasks that are running, and what each is called.
#[derive(Default)]
pub(crate) struct Tasks {
    running: JoinSet<()>,
    names: HashMap<task::Id, &'static str>,
}

impl Tasks {
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.running.spawn(work);
        self.names.insert(task.id(), name);
    }

    /// Watches the tasks: before stopping has begun none may end; after, they are waited for. None is left
    /// running.
    ///
    /// # Errors
    /// When a task ended before stopping had begun.
    pub(crate) async fn supervise(
        mut self,
        health: &HealthReporter,
        shutdown: &Shutdown,
        http_stop: &CancellationToken,
        limits: StopLimits,
    ) -> Result<(), TaskError> {
        tokio::select! {
            Some(ended) = self.ended() => {
                if !shutdown.has_begun() {
                    shutdown.force();
                    self.running.shutdown().await;
                    return Err(ended);
                }
            }
            () = shutdown.begun() => {}
        }
        health.draining();
        let time_is_up = async {
            let _forced_or_over = tokio::time::timeout(limits.grace, shutdown.forced()).await;
            shutdown.force();
            tokio::time::sleep_until(tokio::time::Instant::now() + limits.rollback).await;
        };
        tokio::pin!(time_is_up);
        // All but HTTP end by themselves; HTTP goes on answering that the service is draining.
        while !self.running.is_empty() {
            if self.running.len() == 1 {
                http_stop.cancel();
            }
            tokio::select! {
                Some(_) = self.ended() => {}
                () = &mut time_is_up => break,
            }
        }
        self.running.shutdown().await;
        Ok(())
    }

    /// Waits for the first task to end, and returns which it was; `None` where none is running.
    async fn ended(&mut self) -> Option<TaskError> {
        let ended = self.running.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let task = self.names.remove(&id).unwrap_or("unnamed");
        Some(match ended {
            Ok(_) => TaskError::Ended { task },
            Err(source) => TaskError::Panicked { task, source },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_named_in_the_error() {
        let mut tasks = Tasks::default();
        tasks.spawn("listener", std::future::pending());
        tasks.spawn("worker", async { panic!("for the test") });

        let shutdown = Shutdown::default();
        let limits = StopLimits {
            grace: Duration::ZERO,
            rollback: Duration::ZERO,
        };
        let ended = tasks
            .supervise(
                &HealthReporter::new(),
                &shutdown,
                &CancellationToken::new(),
                limits,
            )
            .await;

        let error = ended.expect_err("it ended unasked").to_string();
        assert_eq!(error, "the worker task panicked");
        assert!(shutdown.is_forced());
    }
}
