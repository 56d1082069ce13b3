//! A small CRM with runs of leads in it, and what applications and users do with them.

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::error::DbError;
use uuid::Uuid;

use super::database::{Session, value};
use super::{Database, eventually};

/// A kanban column, and the funnel it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) funnel: Uuid,
    pub(crate) column: Uuid,
}

/// The example schema, filled.
pub(crate) struct Crm<'db> {
    pub(super) database: &'db Database,
    /// Where leads are at first.
    pub(crate) inbox: Target,
    /// Where they are to go.
    pub(crate) target: Target,
}

/// One row of `process_lead_migration_batch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) message_id: i64,
    pub(crate) run_id: Option<Uuid>,
    pub(crate) run_name: Option<String>,
    pub(crate) leads_moved: i32,
    pub(crate) leads_remaining: i64,
    pub(crate) success: bool,
    pub(crate) error_message: String,
}

impl<'db> Crm<'db> {
    pub(super) async fn new(database: &'db Database) -> Self {
        let inbox = add_target(database, "Novos").await;
        let target = add_target(database, "Primeiro contato").await;
        Self {
            database,
            inbox,
            target,
        }
    }

    /// Another funnel with a column.
    pub(crate) async fn another_target(&self) -> Target {
        add_target(self.database, "Outra").await
    }

    /// A run that brought in that many leads; they are in the inbox.
    pub(crate) async fn run_of(&self, leads: i32) -> Uuid {
        let run: Uuid = self
            .database
            .value(
                "insert into public.runs (name) values ('Restaurantes - 10/12/2025 09:07') returning id",
                &[],
            )
            .await;
        self.add_leads(run, leads).await;
        run
    }

    /// More leads for a run, in the inbox.
    pub(crate) async fn add_leads(&self, run: Uuid, leads: i32) {
        self.database
            .session()
            .execute(
                "insert into public.leads (run_id, funnel_id, column_id, name)
                 select $1, $2, $3, format('Lead %s', n) from generate_series(1, $4) as n",
                &[&run, &self.inbox.funnel, &self.inbox.column, &leads],
            )
            .await
            .expect("leads can be added");
    }

    /// `queue_lead_migration` to the target, with the default batch size.
    pub(crate) async fn enqueue(&self, run: Uuid) -> Value {
        self.try_enqueue(run, self.target, Some(100))
            .await
            .expect("it is queued")
    }

    pub(crate) async fn try_enqueue(
        &self,
        run: Uuid,
        target: Target,
        batch_size: Option<i32>,
    ) -> Result<Value, DbError> {
        enqueue_in(self.database.session(), run, target, batch_size).await
    }

    /// `process_lead_migration_batch()`.
    pub(crate) async fn process(&self) -> Option<Batch> {
        process_in(self.database.session(), None)
            .await
            .expect("it is processed")
    }

    /// Batches until nothing is due.
    pub(crate) async fn process_all(&self) -> Vec<Batch> {
        let mut batches = Vec::new();
        while let Some(batch) = self.process().await {
            batches.push(batch);
        }
        batches
    }

    /// One of the functions that take a run and answer with JSON.
    pub(crate) async fn control(&self, function: &str, run: Uuid) -> Value {
        self.database
            .value(&format!("select public.{function}($1)"), &[&run])
            .await
    }

    /// The newest move of the run, as `get_lead_migration_progress` tells it.
    pub(crate) async fn progress(&self, run: Uuid) -> Row {
        self.database
            .session()
            .query(
                "select * from public.get_lead_migration_progress($1)",
                &[&run],
            )
            .await
            .expect("progress can be read")
            .into_iter()
            .next()
            .expect("the run has a move")
    }

    /// Waits until the run's newest move is completed.
    pub(crate) async fn completed(&self, run: Uuid) {
        eventually("the move is completed", async || {
            self.status(run).await == "completed"
        })
        .await;
    }

    /// The status of the run's newest move.
    pub(crate) async fn status(&self, run: Uuid) -> String {
        self.progress(run).await.get("status")
    }

    /// How many leads of the run are there.
    pub(crate) async fn leads_at(&self, run: Uuid, target: Target) -> i64 {
        self.database
            .value(
                "select count(*) from public.leads where run_id = $1 and funnel_id = $2 and column_id = $3",
                &[&run, &target.funnel, &target.column],
            )
            .await
    }

    /// The keys of the run's leads, in their order.
    pub(crate) async fn lead_ids(&self, run: Uuid) -> Vec<Uuid> {
        self.database
            .value(
                "select coalesce(array_agg(id order by id), '{}') from public.leads where run_id = $1",
                &[&run],
            )
            .await
    }

    /// How many messages are in the queue.
    pub(crate) async fn queue_length(&self) -> i64 {
        self.database
            .value("select count(*) from pgmq.q_lead_migration_queue", &[])
            .await
    }
}

/// `queue_lead_migration` in a session of its own.
pub(crate) async fn enqueue_in(
    session: &Session,
    run: Uuid,
    target: Target,
    batch_size: Option<i32>,
) -> Result<Value, DbError> {
    session
        .query_one(
            "select public.queue_lead_migration($1, $2, $3, $4)",
            &[&run, &target.funnel, &target.column, &batch_size],
        )
        .await
        .map(|row| row.get(0))
        .map_err(|error| error.as_db_error().expect("the server answers").clone())
}

/// `process_lead_migration_batch` in a session of its own.
pub(crate) async fn process_in(
    session: &Session,
    size: Option<i32>,
) -> Result<Option<Batch>, DbError> {
    session
        .query_opt(
            "select * from public.process_lead_migration_batch($1)",
            &[&size],
        )
        .await
        .map(|row| row.as_ref().map(batch_of))
        .map_err(|error| error.as_db_error().expect("the server answers").clone())
}

fn batch_of(row: &Row) -> Batch {
    Batch {
        message_id: row.get("message_id"),
        run_id: row.get("run_id"),
        run_name: row.get("run_name"),
        leads_moved: row.get("leads_moved"),
        leads_remaining: row.get("leads_remaining"),
        success: row.get("success"),
        error_message: row.get("error_message"),
    }
}

async fn add_target(database: &Database, name: &str) -> Target {
    let funnel: Uuid = database
        .value(
            "insert into public.funnels (name) values ($1) returning id",
            &[&name],
        )
        .await;
    let column: Uuid = value(
        database.session(),
        "insert into public.columns (funnel_id, name) values ($1, $2) returning id",
        &[&funnel, &name],
    )
    .await;
    Target { funnel, column }
}
