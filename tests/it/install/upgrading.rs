//! `lead-mover migrate` where something was before: the old system, another version.

use lead_mover::migrate;
use lead_mover::schema::SchemaState;
use serde_json::json;

use crate::support::{Database, assert_same_schema};

#[tokio::test]
async fn the_old_systems_functions_are_replaced() {
    let database = Database::without_lead_mover().await;
    database
        .run(
            "create function public.process_lead_migration_batch(p_batch_size integer default 100)
             returns table (x int) language sql as 'select 1';
             create function public.queue_lead_migration(
               p_run_id uuid, p_funnel_id uuid, p_column_id uuid, p_batch_size integer default 50
             ) returns json language sql as $$ select '{}'::json $$;
             create function public.queue_lead_migration(p_run_id uuid) returns void language sql as '';
             create function public.get_lead_migration_queue_status()
             returns table (n bigint) language sql as 'select 1::bigint';
             create function public.cancel_lead_migration(run uuid) returns boolean
             language sql as 'select true'",
        )
        .await;

    migrate::install(&database.settings(), false)
        .await
        .expect("it installs");

    assert_same_schema(&database.schema(), &Database::new().await.schema());
}

#[tokio::test]
async fn messages_that_the_old_system_left_are_kept_and_processed() {
    let database = Database::without_lead_mover().await;
    let crm = database.crm().await;
    let run = crm.run_of(992).await;
    database
        .session()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2
             where id in (select id from public.leads order by id limit 500)",
            &[&crm.target.funnel, &crm.target.column],
        )
        .await
        .expect("the old system has moved some");
    let message = json!({
        "run_id": run, "run_name": "Restaurantes - 10/12/2025 09:07",
        "funnel_id": crm.target.funnel, "column_id": crm.target.column, "batch_size": 100,
        "created_at": "2025-12-10T12:00:00Z", "status": "processing",
        "progress": {
            "moved": 500, "remaining": 492, "total": 992, "last_batch_at": "2025-12-10T12:05:00Z"
        }
    });
    database
        .run("do $$ begin perform pgmq.create('lead_migration_queue'); end $$")
        .await;
    let message_id: i64 = database
        .value(
            "select pgmq.send('lead_migration_queue', $1::jsonb)",
            &[&message],
        )
        .await;

    migrate::install(&database.settings(), false)
        .await
        .expect("it installs");

    assert_eq!(crm.queue_length().await, 1);
    let first = crm.process().await.expect("the message is due");
    assert_eq!(first.message_id, message_id);
    assert_eq!((first.leads_moved, first.leads_remaining), (100, 392));
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 992);
    crm.check().await;
}

#[tokio::test]
async fn a_versioned_file_that_was_edited_is_an_error() {
    let database = Database::new().await;
    database
        .run("update lead_mover.schema_files set checksum = 'other' where path like 'versioned/%'")
        .await;
    assert_eq!(database.schema_state().await, SchemaState::Outdated);
    let before = database.schema();

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1));
    assert!(
        failed
            .stderr
            .starts_with("error: versioned/0001_ledger.sql was changed after it had been applied"),
        "{failed:?}"
    );
    assert_same_schema(&database.schema(), &before);
    assert_eq!(database.schema_state().await, SchemaState::Outdated);
}

#[tokio::test]
async fn a_database_that_a_newer_version_installed_is_an_error() {
    let database = Database::new().await;
    database
        .run(
            "insert into lead_mover.schema_files values ('versioned/9999_future.sql', 'x');
             update lead_mover.schema_files set checksum = 'newer' where path like 'functions/%'",
        )
        .await;

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1));
    assert!(
        failed.stderr.starts_with("error: ")
            && failed.stderr.contains("newer lead-mover")
            && failed.stderr.contains("versioned/9999_future.sql"),
        "{failed:?}"
    );
    let newer: i64 = database
        .value(
            "select count(*) from lead_mover.schema_files where checksum = 'newer'",
            &[],
        )
        .await;
    assert!(newer > 20, "its functions were overwritten");
}

#[tokio::test]
async fn any_unknown_file_means_that_a_newer_version_was_installed() {
    for path in [
        "versioned/9999_future.sql",
        "functions/internal/future.sql",
        "views/future.sql",
    ] {
        let database = Database::new().await;
        database
            .run(&format!(
                "insert into lead_mover.schema_files values ('{path}', 'x')"
            ))
            .await;
        assert_eq!(database.schema_state().await, SchemaState::Newer);

        let failed = database.migrate(&[]).await;

        assert_eq!(failed.status, Some(1));
        assert!(
            failed.stderr.contains("newer lead-mover") && failed.stderr.contains(path),
            "{failed:?}"
        );
        // The error is the same when a file that it has differs too.
        database
            .run("update lead_mover.schema_files set checksum = 'x' where path like 'views/%'")
            .await;
        assert_eq!(database.schema_state().await, SchemaState::Newer);
    }
}

#[tokio::test]
async fn a_function_whose_file_has_changed_is_applied_again() {
    let path = "functions/public/get_lead_migration_queue_status.sql";
    let database = Database::new().await;
    let before = database.schema();
    database
        .run(&format!(
            "update lead_mover.schema_files set checksum = 'earlier' where path = '{path}';
             create or replace function public.get_lead_migration_queue_status()
             returns table (queue_name text, total_messages bigint, oldest_message timestamptz, newest_message timestamptz)
             language sql as $$ select 'earlier', 0::bigint, now(), now() $$"
        ))
        .await;
    assert_eq!(database.schema_state().await, SchemaState::Outdated);
    assert_ne!(database.schema(), before);

    let applied = migrate::install(&database.settings(), false)
        .await
        .expect("it installs");

    assert_eq!(applied, [path]);
    assert_eq!(database.schema_state().await, SchemaState::Current);
    assert_same_schema(&database.schema(), &before);
}
