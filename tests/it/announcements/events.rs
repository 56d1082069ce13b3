//! `NOTIFY lead_migration_events`: once a change of status.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Crm, Database, Listening};

async fn heard(listening: &mut Listening, database: &Database) -> Vec<Value> {
    let payloads = listening.received(database).await;
    payloads
        .iter()
        .map(|payload| serde_json::from_str(payload).expect("JSON"))
        .collect()
}

fn event(move_id: &Value, run: Uuid, event: &str, status: &str) -> Value {
    json!({ "migration_id": move_id, "run_id": run, "event": event, "status": status })
}

#[tokio::test]
async fn each_change_of_status_is_notified_once_and_no_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let mut listening = Listening::to(&database, "lead_migration_events").await;
    let run = crm.run_of(500).await;
    let id = crm.enqueue(run).await["migration_id"].clone();
    crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;
    crm.control("pause_lead_migration", run).await;
    crm.control("resume_lead_migration", run).await;
    crm.process().await;
    crm.control("pause_lead_migration", run).await;
    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;

    assert_eq!(
        heard(&mut listening, &database).await,
        [
            event(&id, run, "queued", "pending"),
            event(&id, run, "paused", "paused"),
            event(&id, run, "resumed", "pending"),
            event(&id, run, "started", "processing"),
            event(&id, run, "paused", "paused"),
            event(&id, run, "resumed", "processing"),
            event(&id, run, "finished", "completed"),
        ]
    );
}

#[tokio::test]
async fn cancel_failure_and_retry_are_notified() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let mut listening = Listening::to(&database, "lead_migration_events").await;
    let cancelled = crm.run_of(10).await;
    let id = crm.enqueue(cancelled).await["migration_id"].clone();
    crm.control("cancel_lead_migration", cancelled).await;
    assert_eq!(
        heard(&mut listening, &database).await,
        [
            event(&id, cancelled, "queued", "pending"),
            event(&id, cancelled, "cancelled", "cancelled"),
        ]
    );

    database
        .run(
            "create function public.fail() returns trigger language plpgsql as $$ begin
               raise exception 'no' using errcode = '23514';
             end $$;
             create trigger fail before update on public.leads
             for each row execute function public.fail()",
        )
        .await;
    let failed = crm.run_of(3).await;
    let id = crm.enqueue(failed).await["migration_id"].clone();
    crm.process_all().await;
    database.run("drop trigger fail on public.leads").await;
    let retry = crm.control("retry_lead_migration", failed).await["migration_id"].clone();
    crm.process_all().await;
    assert_eq!(
        heard(&mut listening, &database).await,
        [
            event(&id, failed, "queued", "pending"),
            event(&id, failed, "started", "processing"),
            event(&id, failed, "failed", "failed"),
            event(&retry, failed, "queued", "pending"),
            event(&retry, failed, "started", "processing"),
            event(&retry, failed, "finished", "completed"),
        ]
    );
}

#[tokio::test]
async fn a_message_that_an_application_sent_is_notified_when_it_is_adopted() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let mut listening = Listening::to(&database, "lead_migration_events").await;
    let run = crm.run_of(3).await;
    database
        .run(&format!(
            "select pgmq.send('lead_migration_queue', '{}')",
            Crm::message_to(run, crm.target)
        ))
        .await;
    crm.process_all().await;

    let events = heard(&mut listening, &database).await;

    let names: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(names, ["queued", "started", "finished"]);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_notified() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let mut listening = Listening::to(&database, "lead_migration_events").await;
    let run = crm.run_of(3).await;
    database.run("begin").await;
    crm.enqueue(run).await;
    database.run("rollback").await;

    assert_eq!(heard(&mut listening, &database).await, Vec::<Value>::new());
}
