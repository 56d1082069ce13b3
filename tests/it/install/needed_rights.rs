//! A role that lacks a right which `migrate` needs is told which, and how to give it.

use crate::support::{
    Database, EXAMPLE_TABLES, Finished, assert_same_schema, command, finish, process_in, worker,
};

async fn migrate_as_worker(database: &Database) -> Finished {
    let url = database.connection_string_as(&worker());
    finish(command(&["migrate"]).env("DATABASE_URL", url)).await
}

/// Runs what the hint says, as a superuser; returns the error.
async fn follow_hint(database: &Database, failed: &Finished) -> String {
    assert_eq!(failed.status, Some(1), "{failed:?}");
    let (error, hint) = failed.stderr.split_once("\nhint: ").expect("a hint");
    let (_, statements) = hint.split_once("\n\n").expect("statements");
    database.run(statements).await;
    error.to_owned()
}

#[tokio::test]
async fn a_plain_role_is_told_each_right_until_it_can_install_and_move() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    // Before PostgreSQL 15 all roles may create there.
    database
        .run("revoke create on schema public from public")
        .await;
    let before = database.schema();

    let error = follow_hint(&database, &migrate_as_worker(&database).await).await;
    assert!(
        error.ends_with(&format!(
            "permission denied: the role {} needs create on database {}, create on schema public (42501)",
            worker(),
            database.name()
        )),
        "{error}"
    );
    assert!(!database.has("lead_mover").await);

    for (view, needed) in [
        ("leads", "select and update"),
        ("runs", "select"),
        ("columns", "select"),
    ] {
        let error = follow_hint(&database, &migrate_as_worker(&database).await).await;
        let expected = format!(
            "the role {} needs {needed} on lead_mover.{view} or the tables behind it: permission denied for table {view} (42501)",
            worker()
        );
        assert!(error.ends_with(&expected), "{error}");
        assert!(!database.has("lead_mover").await);
    }
    assert_ne!(database.schema(), before);

    installs_and_moves(&database).await;
}

#[tokio::test]
async fn of_a_pgmq_that_another_role_owns_it_is_told_what_it_needs() {
    let database = Database::without_lead_mover().await;
    let worker = worker();
    database
        .run(&format!(
            "do $$ begin execute format('grant create on database %I to {worker}', current_database()); end $$;
             grant create on schema public to {worker};
             grant select, update on public.leads, public.runs, public.columns to {worker}"
        ))
        .await;

    let error = follow_hint(&database, &migrate_as_worker(&database).await).await;
    for needed in [
        "usage on schema pgmq",
        "which owns PGMQ, has made",
        "trigger on the tables of the queue",
        "select on pgmq.meta",
    ] {
        assert!(error.contains(needed), "{needed}: {error}");
    }

    installs_and_moves(&database).await;
}

async fn installs_and_moves(database: &Database) {
    let migrated = migrate_as_worker(database).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let session = database.log_in(&worker()).await;
    session
        .execute(
            "select public.queue_lead_migration($1, $2, $3)",
            &[&run, &crm.target.funnel, &crm.target.column],
        )
        .await
        .expect("it is queued");
    while process_in(&session, None).await.unwrap().is_some() {}
    assert_eq!(crm.status(run).await, "completed");
    // The worker's rights are enough for the doctor, too.
    let url = database.connection_string_as(&worker());
    crate::support::DoctorReport::of(&url, &[])
        .await
        .assert_all_pass();
    let again = migrate_as_worker(database).await;
    assert!(again.stdout.contains("the schema is current"), "{again:?}");
}

#[tokio::test]
async fn a_role_that_does_not_own_the_installation_is_told_who_does() {
    let database = Database::of_owner().await;
    let worker = worker();
    database
        .run(&format!("grant create on schema public to {worker}"))
        .await;
    let before = database.schema();

    let failed = migrate_as_worker(&database).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    let owner = crate::support::owner();
    for text in [
        format!("to be {owner}, which owns the lead mover"),
        format!("-- migrate as {owner}, as before"),
    ] {
        assert!(failed.stderr.contains(&text), "{failed:?}");
    }
    assert_same_schema(&database.schema(), &before);
}

/// With views over tables that the role itself has no rights on.
#[tokio::test]
async fn views_that_an_operator_has_made_for_it_are_enough() {
    let database = Database::empty().await;
    let worker = worker();
    database.run(EXAMPLE_TABLES).await;
    database
        .run(&format!(
            "create schema lead_mover;
             create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.leads;
             create view lead_mover.runs as select id, name from public.runs;
             create view lead_mover.columns as select id, funnel_id from public.columns;
             do $$ begin execute format('grant create on database %I to {worker}', current_database()); end $$;
             grant create on schema public to {worker}"
        ))
        .await;

    let error = follow_hint(&database, &migrate_as_worker(&database).await).await;
    assert!(
        error.contains("needs to own the schema lead_mover"),
        "{error}"
    );
    for view in ["leads", "runs", "columns"] {
        let error = follow_hint(&database, &migrate_as_worker(&database).await).await;
        assert!(
            error.contains(&format!("permission denied for view {view}")),
            "{error}"
        );
    }

    installs_and_moves(&database).await;
}
