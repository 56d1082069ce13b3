//! Workers: batches committed at once, left open, rolled back, or lost with their server process.

use tokio_postgres::error::{DbError, SqlState};

use super::expected::{Committed, Effect, Outcome, ensure};
use super::operations::Ending;
use super::world::World;
use crate::support::{Batch, Database, Session, process_in};

/// Nothing here happens at the same time: who has waited this long would wait for ever.
pub(super) const IMPATIENT: &str = "set lock_timeout = '100ms'";

pub(super) struct Worker {
    pub(super) session: Session,
    pid: i32,
    /// The batch that its open transaction did.
    pub(super) open: Option<Batch>,
}

impl Worker {
    pub(super) async fn new(database: &Database, number: usize) -> Self {
        let session =
            pg_connection::open_session(&database.settings(), &format!("worker {number}"))
                .await
                .expect("it opens");
        session.batch_execute(IMPATIENT).await.unwrap();
        let pid = session
            .query_one("select pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0);
        Self {
            session,
            pid,
            open: None,
        }
    }
}

impl World<'_> {
    pub(super) async fn batch(&mut self, worker: usize, at_most: Option<i32>) -> Outcome<Effect> {
        let due = self.messages_due().await;
        let answer = process_in(&self.workers[worker].session, at_most).await;
        let committed = self.judge(answer, due).await?.map(|batch| Committed {
            worker,
            batch,
            at_most,
            at_once: true,
        });
        Ok(Effect {
            committed: committed.into_iter().collect(),
            control: None,
        })
    }

    pub(super) async fn open_batch(&mut self, worker: usize) -> Outcome<Effect> {
        let due = self.messages_due().await;
        let session = &self.workers[worker].session;
        session.batch_execute("begin").await.unwrap();
        let answer = process_in(session, None).await;
        let ending = match &answer {
            Ok(Some(batch)) if batch.run_id.is_some() => None,
            Ok(_) => Some("commit"),
            Err(_) => Some("rollback"),
        };
        if let Some(ending) = ending {
            session.batch_execute(ending).await.unwrap();
        }
        self.workers[worker].open = self.judge(answer, due).await?;
        Ok(Effect::default())
    }

    pub(super) async fn end_batch(&mut self, worker: usize, ending: Ending) -> Effect {
        let Some(batch) = self.workers[worker].open.take() else {
            return Effect::default();
        };
        let mut effect = Effect::default();
        match ending {
            Ending::Commit => {
                let session = &self.workers[worker].session;
                session.batch_execute("commit").await.unwrap();
                effect.committed.push(Committed {
                    worker,
                    batch,
                    at_most: None,
                    at_once: false,
                });
            }
            Ending::Rollback => {
                let session = &self.workers[worker].session;
                session.batch_execute("rollback").await.unwrap();
            }
            Ending::Crash => {
                let pid = self.workers[worker].pid;
                self.database
                    .session()
                    .query_one("select pg_terminate_backend($1, 60000)", &[&pid])
                    .await
                    .unwrap();
                self.workers[worker] = Worker::new(self.database, worker).await;
            }
        }
        effect
    }

    pub(super) fn a_batch_is_open(&self) -> bool {
        self.workers.iter().any(|worker| worker.open.is_some())
    }

    /// The first worker from that one on who has a batch open.
    pub(super) fn open_from(&self, worker: usize) -> Option<usize> {
        let count = self.workers.len();
        (worker..worker + count)
            .map(|worker| worker % count)
            .find(|worker| self.workers[*worker].open.is_some())
    }

    async fn messages_due(&self) -> i64 {
        self.app
            .query_one(&self.statements.due, &[])
            .await
            .unwrap()
            .get(0)
    }

    /// Rejections alone undo no batch; they end the move when they are too many.
    fn may_fail(&self, batch: &Batch) -> bool {
        let error = &batch.error_message;
        let expected = &self.expected;
        !expected.once_blocked.is_empty() && error.starts_with("Leads rejeitados em excesso")
            || !expected.once_failed.is_empty() && error.contains("is not to be moved")
            // Of another lane, or a trigger's call that has to wait for one.
            || self.a_batch_is_open() && error.contains("canceling statement due to lock timeout")
    }

    /// What a call answered, where that many messages were due before.
    async fn judge(
        &mut self,
        answer: Result<Option<Batch>, DbError>,
        due: i64,
    ) -> Outcome<Option<Batch>> {
        match answer {
            Ok(Some(batch)) if batch.run_id.is_none() => {
                ensure(self.expected.queue_was_changed && !batch.success, || {
                    format!("a batch of no run: {batch:?}")
                })?;
                Ok(None)
            }
            Ok(Some(batch)) => {
                let run = self.run_of(batch.run_id);
                self.expected.begin_batch(run)?;
                ensure(batch.success || self.may_fail(&batch), || {
                    format!("no reason to fail: {batch:?}")
                })?;
                Ok(Some(batch))
            }
            Ok(None) => {
                ensure(due == 0 || self.a_batch_is_open(), || {
                    format!("{due} messages are due and nobody holds them, but none was taken")
                })?;
                let lost = self.lanes_without_messages(None).await;
                ensure(lost == 0 || self.a_batch_is_open(), || {
                    format!("{lost} lanes have no message that is due, and none was sent")
                })?;
                Ok(None)
            }
            // Another lane of the move has not committed its first or last batch.
            Err(error) if *error.code() == SqlState::LOCK_NOT_AVAILABLE => {
                ensure(self.a_batch_is_open(), || {
                    format!("a batch waited for nobody: {error}")
                })?;
                Ok(None)
            }
            Err(error) => Err(format!("a batch raised {error}")),
        }
    }
}
