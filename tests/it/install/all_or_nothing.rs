//! A `migrate` that fails leaves the database as it was, PGMQ's own SQL included.

use crate::support::{Database, EXAMPLE_TABLES, command, finish, worker};

/// Raises an error at the last statement of an installation.
const DENY_TRIGGERS: &str = "
create function public.deny() returns event_trigger language plpgsql
as $$ begin raise exception 'no triggers here'; end $$;
create event trigger deny on ddl_command_start when tag in ('CREATE TRIGGER') execute function public.deny()";

#[tokio::test]
async fn without_tables_to_map_no_schema_stays() {
    let database = Database::empty().await;
    let before = database.schema();

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    assert!(!database.has("pgmq").await);
    assert!(!database.has("lead_mover").await);
    assert_eq!(database.schema(), before);
}

#[tokio::test]
async fn an_error_at_the_last_statement_undoes_all_and_migrate_works_once_it_is_fixed() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    database.run(DENY_TRIGGERS).await;
    let before = database.schema();

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("no triggers here"), "{failed:?}");
    assert!(!database.has("pgmq").await);
    assert!(!database.has("lead_mover").await);
    assert_eq!(database.schema(), before);

    database.run("drop event trigger deny").await;
    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn a_pgmq_that_was_there_before_stays_with_its_queues() {
    let database = Database::without_lead_mover().await;
    database
        .run("do $$ begin perform pgmq.create('of_an_application'); end $$")
        .await;
    database.run(DENY_TRIGGERS).await;
    let before = database.schema();

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    assert_eq!(database.schema(), before);
    assert!(database.has("pgmq.q_of_an_application").await);
}

#[tokio::test]
async fn a_schema_pgmq_that_was_there_without_pgmq_keeps_what_is_in_it() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    database
        .run("create schema pgmq; create table pgmq.of_an_application (id integer)")
        .await;
    database.run(DENY_TRIGGERS).await;

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    assert!(database.has("pgmq.of_an_application").await);
    assert!(!database.has("lead_mover").await);
}

#[tokio::test]
async fn a_role_that_may_create_nothing_leaves_nothing() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    let before = database.schema();
    let url = database.connection_string_as(&worker());

    let failed = finish(command(&["migrate"]).env("DATABASE_URL", url)).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("permission denied"), "{failed:?}");
    assert_eq!(database.schema(), before);
}
