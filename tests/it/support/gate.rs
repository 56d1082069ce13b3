//! A place where batches stop exactly where a test wants them to: all leads written, nothing committed.

use serde_json::Value;
use tokio_postgres::error::DbError;
use uuid::Uuid;

use super::crm::{Batch, process_in};
use super::database::{Database, Session};
use super::eventually;
use super::messages::control_in;

/// Closed until [`Gate::open`]; an update of leads waits at it, unless its `application_name` is `person`.
pub(crate) struct Gate {
    keeper: Session,
}

impl Gate {
    /// Builds the gate, closed. Whatever lock time-out a batch has, it waits here without one.
    pub(crate) async fn close(database: &Database) -> Self {
        database
            .run(
                "create function public.pass_gate() returns trigger language plpgsql set lock_timeout = 0 as
                 $$ begin perform pg_catalog.pg_advisory_xact_lock_shared(7); return null; end $$;
                 create trigger pass_gate after update on public.leads
                 for each statement when (current_setting('application_name') <> 'person')
                 execute function public.pass_gate()",
            )
            .await;
        let keeper = database.open().await;
        keeper
            .batch_execute("select pg_advisory_lock(7)")
            .await
            .unwrap();
        Self { keeper }
    }

    /// Waits until that many batches stand at the gate.
    pub(crate) async fn reached_by(&self, batches: i64) {
        eventually("the batches stand at the gate", async || {
            let waiting: i64 = self
                .keeper
                .query_one(
                    "select count(*) from pg_locks
                     where locktype = 'advisory' and not granted and (classid, objid) = (0, 7)
                       and database = (select oid from pg_database where datname = current_database())",
                    &[],
                )
                .await
                .unwrap()
                .get(0);
            waiting == batches
        })
        .await;
    }

    /// Lets everybody through, from now on.
    pub(crate) async fn open(&self) {
        self.keeper
            .batch_execute("select pg_advisory_unlock(7)")
            .await
            .unwrap();
    }
}

/// Calls the function for the run while a batch stands at a gate; the batch goes on once the call
/// waits for a lock.
pub(crate) async fn control_during_a_batch(
    database: &Database,
    function: &str,
    run: Uuid,
) -> (Result<Option<Batch>, DbError>, Result<Value, DbError>) {
    let gate = Gate::close(database).await;
    let (worker, operator) = (database.open().await, database.open().await);
    let (batch, answer, ()) = tokio::join!(
        process_in(&worker, None),
        async {
            gate.reached_by(1).await;
            control_in(&operator, function, run).await
        },
        async {
            database.blocked(function).await;
            gate.open().await;
        }
    );
    (batch, answer)
}

impl Database {
    /// Waits until a session of this database that runs such a statement waits for a lock.
    pub(crate) async fn blocked(&self, statement: &str) {
        eventually(&format!("{statement} waits for a lock"), async || {
            self.value(
                "select exists (
                   select
                   from pg_locks l
                   join pg_stat_activity a on a.pid = l.pid
                   where not l.granted
                     and a.datname = current_database()
                     and strpos(a.query, $1) > 0
                 )",
                &[&statement],
            )
            .await
        })
        .await;
    }
}
