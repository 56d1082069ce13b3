//! Whose names are looked up: the caller's nowhere, the CRM's where its triggers expect them.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{Crm, Database};

#[tokio::test]
async fn names_of_a_hostile_schema_are_looked_up_nowhere() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let mut statements = String::from(
        "create schema hostile;
         create function hostile.strike() returns boolean language plpgsql as
         $$ begin raise exception 'hostile code was run'; end $$;
         create table hostile.leads (like public.leads including all);
         create table hostile.runs (like public.runs);
         create table hostile.columns (like public.columns);
         create table hostile.migrations (like lead_mover.migrations);
         create table hostile.lanes (like lead_mover.lanes);
         create table hostile.q_lead_migration_queue (like pgmq.q_lead_migration_queue);
         create domain hostile.uuid as pg_catalog.uuid check (hostile.strike());
         create domain hostile.jsonb as pg_catalog.jsonb check (hostile.strike());
         create domain hostile.text as pg_catalog.text check (hostile.strike());",
    );
    for function in [
        "now()",
        "clock_timestamp()",
        "count(pg_catalog.int8)",
        "jsonb_typeof(pg_catalog.jsonb)",
        "cardinality(pg_catalog.uuid[])",
        "pg_notify(pg_catalog.text, pg_catalog.text)",
        "pg_try_advisory_xact_lock_shared(pg_catalog.int8)",
        "lock_key(pg_catalog.int8)",
        "unnest(pg_catalog.uuid[])",
    ] {
        write!(
            statements,
            "create function hostile.{function} returns pg_catalog.bool language sql as
             'select hostile.strike()';"
        )
        .unwrap();
    }
    for (operator, left, right) in [
        ("=", "uuid", "uuid"),
        ("=", "int8", "int8"),
        ("->>", "jsonb", "text"),
        ("||", "jsonb", "jsonb"),
        ("<=", "timestamptz", "timestamptz"),
    ] {
        let name = format!("{left}_{}", operator.len());
        write!(
            statements,
            "create or replace function hostile.{name}(pg_catalog.{left}, pg_catalog.{right})
               returns pg_catalog.bool language sql as 'select hostile.strike()';
             create operator hostile.{operator} (
               leftarg = pg_catalog.{left}, rightarg = pg_catalog.{right}, function = hostile.{name}
             );"
        )
        .unwrap();
    }
    database.run(&statements).await;
    database
        .run("set search_path = hostile, pg_catalog, lead_mover, public")
        .await;

    assert_eq!(crm.enqueue(run).await["total"], 250);
    crm.process().await;
    for control in ["pause", "resume", "cancel", "retry"] {
        crm.control(&format!("{control}_lead_migration"), run).await;
    }
    crm.enqueue(run).await;
    // As the service calls it.
    let outcome: String = database
        .value("select outcome from lead_mover.process_batch()", &[])
        .await;
    assert_eq!(outcome, "moved");
    let batches = crm.process_all().await;
    assert!(batches.iter().all(|batch| batch.success), "{batches:?}");
    for call in [
        "public.get_lead_migration_progress()",
        "public.get_lead_migration_queue_status()",
        "public.get_lead_migration_rejections(1)",
        "lead_mover.sample()",
    ] {
        database.run(&format!("select * from {call}")).await;
    }

    database.run("reset search_path").await;
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

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

#[tokio::test]
async fn triggers_of_the_crm_find_their_tables_without_naming_the_schema() {
    let database = Database::new().await;
    database
        .run(
            "create table public.history (lead_id uuid, column_id uuid);
             create function public.note_history() returns trigger language plpgsql as
             $$ begin insert into history values (new.id, new.column_id); return new; end $$;
             create trigger note_history after update on public.leads
             for each row execute function public.note_history()",
        )
        .await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    assert_eq!(
        database
            .value::<i64>("select count(*) from public.history", &[])
            .await,
        150
    );
}
