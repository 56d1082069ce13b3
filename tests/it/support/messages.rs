//! The queue as applications and operators handle it, around the functions.

use serde_json::Value;
use tokio_postgres::error::DbError;
use uuid::Uuid;

use super::Crm;
use super::crm::{Batch, Target};
use super::database::Session;

impl Crm<'_> {
    /// `pgmq.send` as applications call it; answers with the message's id.
    pub(crate) async fn send(&self, message: &Value) -> i64 {
        self.database
            .value(
                "select * from pgmq.send('lead_migration_queue', $1::jsonb)",
                &[message],
            )
            .await
    }

    /// A message with the least that one needs.
    pub(crate) fn message_to(run: Uuid, target: Target) -> Value {
        serde_json::json!({ "run_id": run, "funnel_id": target.funnel, "column_id": target.column })
    }

    /// Makes every message due, as the passing of time would; those of paused moves stay as they are.
    pub(crate) async fn make_due(&self) {
        self.database
            .run(
                "update pgmq.q_lead_migration_queue set vt = clock_timestamp()
                 where vt < 'infinity'",
            )
            .await;
    }

    /// Batches until the queue is empty, whatever the messages' delays.
    pub(crate) async fn process_to_the_end(&self) -> Vec<Batch> {
        let mut batches = Vec::new();
        while self.queue_length().await > 0 {
            self.make_due().await;
            batches.push(self.process().await.expect("all messages are due"));
        }
        batches
    }

    /// What a message that is in the archive says.
    pub(crate) async fn archived(&self, message_id: i64) -> Value {
        self.database
            .value(
                "select message from pgmq.a_lead_migration_queue where msg_id = $1",
                &[&message_id],
            )
            .await
    }
}

/// One of the functions that take a run and answer with JSON, in a session of its own.
pub(crate) async fn control_in(
    session: &Session,
    function: &str,
    run: Uuid,
) -> Result<Value, DbError> {
    session
        .query_one(&format!("select public.{function}($1)"), &[&run])
        .await
        .map(|row| row.get(0))
        .map_err(|error| error.as_db_error().expect("the server answers").clone())
}
