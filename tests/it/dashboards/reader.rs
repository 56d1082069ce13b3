//! The role of `grafana/read-only-role.sql`: what it may do, and that it may do nothing else.

use lead_mover::migrate;

use crate::rights::documented_roles::{functions, is_denied};
use crate::support::{Database, OwnServer, Session, grafana};

/// A session whose transactions may write, so that only missing privileges stop a write.
async fn writing_session(database: &Database) -> Session {
    database.grant_reading_rights(&grafana()).await;
    let session = database.log_in(&grafana()).await;
    session
        .batch_execute("set default_transaction_read_only = off")
        .await
        .expect("every role may");
    session
}

#[tokio::test]
async fn of_the_public_functions_grafanas_role_may_call_the_two_that_show_moves() {
    let database = Database::of_owner().await;
    let session = writing_session(&database).await;

    for function in functions(&database).await {
        if function.name.starts_with("lead_mover.") {
            continue;
        }
        let granted = [
            "get_lead_migration_progress(uuid)",
            "get_lead_migration_rejections(bigint)",
        ];
        let denied = is_denied(&session, &function.call).await;
        assert_eq!(
            denied,
            !granted.contains(&function.name.as_str()),
            "{}",
            function.name
        );
    }
}

#[tokio::test]
async fn grafanas_role_may_change_nothing_and_read_no_more_than_these_functions_do() {
    let database = Database::of_owner().await;
    let session = writing_session(&database).await;
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
    let may_read = [
        "select from lead_mover.moves",
        "select from lead_mover.lanes",
        "select from lead_mover.rejections",
        "select from lead_mover.progress",
        "select from lead_mover.openings",
    ];

    for relation in relations {
        for statement in [
            format!("select from {relation}"),
            format!("delete from {relation}"),
            format!("truncate {relation}"),
        ] {
            // A view cannot be truncated by any role, so that error has another code.
            let denied = is_denied(&session, &statement).await;
            let is_view_of_sums = ["lead_mover.progress", "lead_mover.requests"]
                .contains(&relation.as_str())
                && statement.starts_with("delete");
            assert!(
                denied
                    || statement.starts_with("truncate")
                    || is_view_of_sums
                    || may_read.contains(&statement.as_str()),
                "{statement}"
            );
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
async fn its_sessions_are_read_only_with_short_timeouts_and_creating_it_again_changes_nothing() {
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

/// As on Supabase, where no user is a superuser.
#[tokio::test]
async fn the_owner_of_the_functions_who_may_create_roles_can_create_it() {
    let server = OwnServer::start();
    let database = server.empty_database("crm").await;
    database
        .run(
            "create role owner login createrole;
             alter database crm owner to owner;
             grant create on schema public to owner",
        )
        .await;
    let as_role = |role: &str| format!("{} user={role}", database.connection_string());
    let settings = as_role("owner").parse().expect("a connection string");
    migrate::install(&settings, true)
        .await
        .expect("it installs");
    let owner = pg_connection::open_session(&settings, "test")
        .await
        .expect("it opens");

    for _ in 0..2 {
        owner
            .batch_execute(include_str!("../../../grafana/read-only-role.sql"))
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
