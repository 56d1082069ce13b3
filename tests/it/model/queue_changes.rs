//! What users do to the queue itself, past the mover.

use proptest::prelude::*;
use tokio_postgres::error::SqlState;

use super::expected::{Outcome, ensure};
use super::world::World;

#[derive(Debug, Clone, Copy)]
pub(super) enum QueueChange {
    Purge,
    Pop,
    /// As another consumer would: it is not due for an hour.
    Read,
    /// The others change the `nth` message, counted around.
    Archive,
    Delete,
    /// Sets the message to this expression …
    Content(&'static str),
    /// … or the time at which it is due.
    Due(&'static str),
}

/// Messages that are no lane's any more and cannot be read, and some that still are their lane's.
const CONTENTS: [&str; 9] = [
    "null",
    r#"'"edited"'"#,
    "'[]'",
    "'{}'",
    "message - 'run_id' - 'lane'",
    r#"message - 'lane' || '{"batch_size": 0}'"#,
    r#"message || '{"lane": 99, "batch_size": 0}'"#,
    r#"message || '{"migration_id": "1", "run_id": "00000000-0000-0000-0000-000000000001"}'"#,
    r#"message || '{"run_id": 1, "progress": [], "batch_size": -1, "total": "many"}'"#,
];

const TIMES: [&str; 5] = [
    "'epoch'",
    "'-infinity'",
    "'infinity'",
    "clock_timestamp() + interval '5 seconds'",
    "clock_timestamp() + interval '1 hour'",
];

pub(super) fn queue_change() -> impl Strategy<Value = QueueChange> {
    prop_oneof![
        1 => Just(QueueChange::Purge),
        2 => Just(QueueChange::Pop),
        1 => Just(QueueChange::Read),
        2 => Just(QueueChange::Archive),
        2 => Just(QueueChange::Delete),
        4 => proptest::sample::select(&CONTENTS[..]).prop_map(QueueChange::Content),
        3 => proptest::sample::select(&TIMES[..]).prop_map(QueueChange::Due),
    ]
}

impl QueueChange {
    fn statement(self, id: i64) -> String {
        let of_queue = "'lead_migration_queue'::text";
        match self {
            Self::Purge => format!("select pgmq.purge_queue({of_queue})"),
            Self::Pop => format!("select from pgmq.pop({of_queue})"),
            Self::Read => format!("select from pgmq.read({of_queue}, 3600, 1)"),
            Self::Archive => format!("select pgmq.archive({of_queue}, {id}::bigint)"),
            Self::Delete => format!("select pgmq.delete({of_queue}, {id}::bigint)"),
            Self::Content(content) => format!(
                "update pgmq.q_lead_migration_queue set message = {content} where msg_id = {id}"
            ),
            Self::Due(time) => {
                format!("update pgmq.q_lead_migration_queue set vt = {time} where msg_id = {id}")
            }
        }
    }
}

impl World<'_> {
    pub(super) async fn change_queue(&mut self, nth: usize, change: QueueChange) -> Outcome {
        let ids: Vec<i64> = self
            .app
            .query_one(
                "select coalesce(array_agg(msg_id order by msg_id), '{}')
                 from pgmq.q_lead_migration_queue",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        if ids.is_empty() {
            return Ok(());
        }
        let statement = change.statement(ids[nth % ids.len()]);
        match self.app.batch_execute(&statement).await {
            Ok(()) => {
                self.expected.queue_was_changed = true;
                Ok(())
            }
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                ensure(self.a_batch_is_open(), || {
                    format!("{change:?} waited for nobody")
                })
            }
            Err(error) => Err(format!("{change:?} failed: {error:?}")),
        }
    }

    /// Open lanes, of that move or of any, that would have to go on, and whose message is gone or due too late.
    pub(super) async fn lanes_without_messages(&self, of_move: Option<i64>) -> i64 {
        self.app
            .query_one(&self.statements.lost, &[&of_move])
            .await
            .unwrap()
            .get(0)
    }
}
