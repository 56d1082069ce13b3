//! The role of `grafana/read-only-role.sql`: what it may do, and that it may do nothing else.

use lead_mover::migrate;

use crate::rights::rights_matrix::{functions, is_denied};
use crate::support::{Database, OwnServer, Session, grafana};

/// A session whose transactions may write, so that only rights stand in the way.
async fn willing(database: &Database) -> Session {
    database.grant_reading_rights(&grafana()).await;
    let session = database.log_in(&grafana()).await;
    session
        .batch_execute("set default_transaction_read_only = off")
        .await
        .expect("anybody may");
    session
}

#[tokio::test]
async fn it_may_call_the_two_functions_that_show_moves_and_no_other() {
    let database = Database::of_owner().await;
    let session = willing(&database).await;

    for function in functions(&database).await {
        let granted = [
            "get_lead_migration_progress(uuid)",
            "get_lead_migration_rejections(bigint)",
        ];
        let refused = is_denied(&session, &function.call).await;
        assert_eq!(
            refused,
            !granted.contains(&function.name.as_str()),
            "{}",
            function.name
        );
    }
}

#[tokio::test]
async fn it_may_neither_read_nor_change_leads_ledger_or_queue() {
    let database = Database::of_owner().await;
    let session = willing(&database).await;
    let relations: Vec<String> = database
        .value(
            "select array_agg(c.oid::regclass::text order by 1)
             from pg_class c
             where c.relkind in ('r', 'p', 'v')
               and (
                 c.relnamespace in ('lead_mover'::regnamespace, 'public'::regnamespace)
                 or c.relname like '%lead_migration_queue'
               )",
            &[],
        )
        .await;
    assert!(relations.len() >= 14, "{relations:?}");

    for relation in relations {
        for statement in [
            format!("select from {relation}"),
            format!("delete from {relation}"),
            format!("truncate {relation}"),
        ] {
            // There is no truncating a view, whoever asks.
            let refused = is_denied(&session, &statement).await;
            assert!(refused || statement.starts_with("truncate"), "{statement}");
        }
    }
    for statement in [
        "update public.leads set name = name",
        "create schema of_its_own",
        "create role of_its_own",
        "alter table public.leads add column of_its_own integer",
    ] {
        assert!(is_denied(&session, statement).await, "{statement}");
    }
}

#[tokio::test]
async fn its_sessions_read_only_and_not_for_long_and_making_it_again_changes_nothing() {
    let database = Database::of_owner().await;
    for _ in 0..2 {
        database.grant_reading_rights(&grafana()).await;
    }
    let session = database.log_in(&grafana()).await;

    for (setting, expected) in [
        ("default_transaction_read_only", "on"),
        ("statement_timeout", "10s"),
    ] {
        let found: String =
            crate::support::value(&session, "select current_setting($1)", &[&setting]).await;
        assert_eq!(found, expected, "{setting}");
    }
}

/// As on Supabase, where nobody is a superuser.
#[tokio::test]
async fn who_owns_the_functions_and_may_create_roles_can_make_it() {
    let server = OwnServer::start();
    let database = server.empty_database("crm").await;
    database
        .run(
            "create role boss login createrole;
             alter database crm owner to boss;
             grant create on schema public to boss",
        )
        .await;
    let as_role = |role: &str| format!("{} user={role}", database.connection_string());
    let settings = as_role("boss").parse().expect("a connection string");
    migrate::install(&settings, true)
        .await
        .expect("it installs");
    let boss = pg_connection::open_session(&settings, "test")
        .await
        .expect("it opens");

    for _ in 0..2 {
        boss.batch_execute(include_str!("../../../grafana/read-only-role.sql"))
            .await
            .expect("it may");
    }

    let settings = as_role("lead_mover_grafana").parse().expect("another");
    let session = pg_connection::open_session(&settings, "test")
        .await
        .expect("it opens");
    let moves = "select count(*) from public.get_lead_migration_progress()";
    assert_eq!(crate::support::value::<i64>(&session, moves, &[]).await, 0);
}
