//! The printed script, copies of the schema and a role's rights where PGMQ is an extension of the server, in the
//! version whose queues belong to the extension.

use std::fs;

use crate::support::{
    Database, EXAMPLE_TABLES, Listening, PgmqServer, command, finish, pgmq_sql_of_the_crate,
    printed,
};

const VERSION: &str = "1.4.4";

#[test]
fn the_copy_of_pgmqs_sql_is_that_of_its_maintainers_crate() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/pgmq-installer");
    let read = |path: &str| fs::read_to_string(format!("{folder}/{path}")).expect(path);
    let (sql, version) = pgmq_sql_of_the_crate();
    assert_eq!(read("sql/pgmq.sql"), sql);
    assert!(read("src/lib.rs").contains(&format!("VERSION: &str = \"{version}\"")));
}

/// Moves are queued, heard of and carried out.
async fn assert_works(database: &Database) {
    database.doctor_report().await.assert_all_pass();
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let mut listening = Listening::start(database).await;
    crm.enqueue(run).await;
    assert_eq!(listening.received(database).await, [""]);
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn the_printed_script_takes_the_extension_and_a_copy_of_the_schema_gets_its_queue_again() {
    let Some(pgmq) = PgmqServer::start(VERSION).await else {
        return;
    };
    let database = pgmq.server.empty_database("crm").await;
    database.run(EXAMPLE_TABLES).await;
    database.run_print().await;
    database.run_print().await;
    let version: String = database
        .value(
            "select extversion from pg_extension where extname = 'pgmq'",
            &[],
        )
        .await;
    assert_eq!(version, VERSION);
    assert_works(&database).await;

    let copy = pgmq.server.empty_database("copy").await;
    let dump = pgmq.server.dump_schema("crm");
    // The extension's queue is not in it, so its trigger cannot be made.
    let finished = copy.psql_with(&["-v", "ON_ERROR_STOP=0"], &dump).await;
    assert!(
        finished.stderr.contains("q_lead_migration_queue"),
        "{finished:?}"
    );
    assert!(!copy.has("pgmq.q_lead_migration_queue").await);

    let report = copy.doctor_report().await;
    assert_eq!(
        report.with("failure"),
        ["pgmq", "schema"],
        "{:?}",
        report.check("moves")
    );
    for check in report.with("failure") {
        let advice = report.check(check).2.expect("something to do");
        assert!(advice.starts_with("run: lead-mover migrate"), "{advice}");
    }
    assert_eq!(report.check("moves").0, "skipped");

    assert_eq!(copy.migrate(&[]).await.status, Some(0));

    assert_works(&copy).await;
}

#[tokio::test]
async fn where_a_superuser_owns_the_extension_a_plain_role_is_told_what_it_needs() {
    let Some(pgmq) = PgmqServer::start(VERSION).await else {
        return;
    };
    let database = pgmq.server.empty_database("crm").await;
    database.run(EXAMPLE_TABLES).await;
    database
        .run(
            "create extension pgmq;
             create role crm login;
             grant create on database crm to crm;
             grant create on schema public to crm;
             grant select, update on public.leads, public.runs, public.columns to crm",
        )
        .await;
    let url = format!("{} user=crm", pgmq.server.connection_string("crm"));

    let failed = finish(command(&["migrate"]).env("DATABASE_URL", &url)).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    let (error, hint) = failed.stderr.split_once("\nhint: ").expect("a hint");
    assert!(
        error.contains("the role crm needs usage on schema pgmq"),
        "{error}"
    );
    assert!(
        error.contains("a queue that postgres, which owns PGMQ, has made"),
        "{error}"
    );
    let (_, statements) = hint.split_once("\n\n").expect("statements");
    database.run(statements).await;
    let migrated = finish(command(&["migrate"]).env("DATABASE_URL", &url)).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_works(&database).await;
    let script = printed(&[]).await;
    let again = database.psql(&format!("set role crm;\n{script}")).await;
    assert_eq!(again.status, Some(0), "{again:?}");
}
