//! In which schemas names are looked up: never the caller's; the CRM's where its triggers expect them.

use serde_json::json;

use crate::support::{Crm, Database};

#[tokio::test]
async fn temporary_objects_of_the_caller_are_looked_up_nowhere() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    database
        .run(
            "create function pg_temp.strike() returns boolean language plpgsql as
             $$ begin raise exception 'hostile code was run'; end $$;
             create temporary table leads (like public.leads);
             create temporary table pg_class (like pg_catalog.pg_class);
             create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.strike());
             create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.strike());
             create domain pg_temp.timestamptz as pg_catalog.timestamptz check (pg_temp.strike());
             create domain pg_temp.text as pg_catalog.text check (pg_temp.strike());
             create domain pg_temp.interval as pg_catalog.interval check (pg_temp.strike())",
        )
        .await;

    crm.enqueue(run).await;
    crm.control("cancel_lead_migration", run).await;
    // PGMQ's own functions do look there, so messages come from another session.
    let application = database.open().await;
    let send = "select pgmq.send('lead_migration_queue', $1)";
    for message in [json!([]), Crm::message_to(run, crm.target)] {
        application.execute(send, &[&message]).await.unwrap();
    }
    let batches = crm.process_all().await;

    assert_eq!(
        batches[0].error_message,
        "Mensagem ilegível: não é um objeto JSON"
    );
    assert!(
        batches[1..].iter().all(|batch| batch.success),
        "{batches:?}"
    );
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
}

/// A trigger that keeps a history in a table which it names without its schema, and how to name its lines.
async fn keep_history(database: &Database, in_schema: &str) {
    database
        .run(&format!(
            "create schema if not exists extensions;
             create schema crm;
             create sequence crm.tries;
             create function extensions.stamp() returns text language sql as $$ select 'stamped' $$;
             create table {in_schema}.history (lead_id uuid, stamp text);
             create function {in_schema}.note_history() returns trigger language plpgsql as
             $$ begin
               perform nextval('crm.tries');
               insert into history values (new.id, stamp());
               return new;
             end $$;
             create trigger note_history after update on public.leads
             for each row execute function {in_schema}.note_history()"
        ))
        .await;
}

async fn stamped(database: &Database, table: &str) -> i64 {
    let count = format!("select count(*) from {table} where stamp = 'stamped'");
    database.value(&count, &[]).await
}

#[tokio::test]
async fn triggers_of_the_crm_find_their_tables_without_naming_the_schema() {
    let database = Database::new().await;
    keep_history(&database, "public").await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    assert_eq!(stamped(&database, "public.history").await, 150);
    let tries: i64 = database
        .value("select last_value from crm.tries", &[])
        .await;
    assert_eq!(tries, 150, "no path was undone");

    // The slow path too, past a lead that is locked.
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    let user = database.open().await;
    user.batch_execute(&format!(
        "begin; select from public.leads where id = '{}' for update",
        crm.lead_ids(run).await[0]
    ))
    .await
    .unwrap();
    crm.process().await;
    crm.process().await;
    assert_eq!(stamped(&database, "public.history").await, 299);
    user.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(stamped(&database, "public.history").await, 300);
}

#[tokio::test]
async fn triggers_of_the_crm_do_not_find_temporary_objects_of_the_caller() {
    let database = Database::new().await;
    keep_history(&database, "public").await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    database
        .run(
            "create schema hostile;
             create table hostile.history (lead_id uuid, stamp text);
             create function hostile.stamp() returns text language sql as $$ select 'hostile' $$;
             create temporary table history (lead_id uuid, stamp text);
             set search_path = pg_temp, hostile, public",
        )
        .await;

    crm.process_all().await;

    database.run("reset search_path").await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(stamped(&database, "public.history").await, 150);
    for table in ["hostile.history", "pg_temp.history"] {
        let lines = format!("select count(*) from {table}");
        assert_eq!(database.value::<i64>(&lines, &[]).await, 0, "{table}");
    }
}

/// What docs/use.md advises for triggers that look elsewhere.
#[tokio::test]
async fn a_trigger_of_the_crm_may_have_a_search_path_of_its_own() {
    let database = Database::new().await;
    keep_history(&database, "crm").await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    crm.enqueue(run).await;

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "failed", "it finds no table");
    database
        .run("alter function crm.note_history() set search_path = crm, extensions")
        .await;
    crm.control("retry_lead_migration", run).await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(stamped(&database, "crm.history").await, 3);
}
