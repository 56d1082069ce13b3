//! `lead-mover doctor`: connections to the database.

use std::fs;

use lead_mover::migrate;
use local_postgres::{Durability, LocalPostgres};

use crate::support::{
    ALL_CHECKS, Database, DoctorReport, Faults, OwnServer, Proxy, command, finish, is_local,
};

/// Where no answer or notification comes, it need not be waited for long.
pub(super) const SHORT: [&str; 2] = ["--timings", "notify=1s,check=2s"];

#[tokio::test]
async fn without_a_server_all_other_checks_are_skipped() {
    let report = DoctorReport::of("host=127.0.0.1 port=1 user=u dbname=x", &[]).await;

    report.assert_failure(
        "connection",
        "start the server, or correct the host and port in DATABASE_URL",
    );
    assert_eq!(report.with("skipped"), ALL_CHECKS[1..]);
    let found = report.check("connection").1;
    assert!(
        found.starts_with("cannot connect to 127.0.0.1:1/x as u: "),
        "{found}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_a_failure() {
    let database = Database::new().await;
    let url = format!("{} dbname=lead_mover_nowhere", database.connection_string());

    let report = DoctorReport::of(&url, &[]).await;

    report.assert_failure(
        "connection",
        "correct the database's name in DATABASE_URL, or create the database",
    );
    let found = report.check("connection").1;
    assert!(
        found.contains("\"lead_mover_nowhere\" does not exist (3D000)"),
        "{found}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_a_failure_and_not_printed() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    database
        .run("create role app login password 'another'")
        .await;
    server.admit("local all app scram-sha-256").await;
    let url = format!(
        "{} user=app password=geheim4711",
        database.connection_string()
    );

    let report = DoctorReport::of(&url, &[]).await;

    report.assert_failure(
        "connection",
        "correct the user and password in DATABASE_URL (in a URL, special characters are percent-encoded)",
    );
    let found = report.check("connection").1;
    assert!(found.contains("(28P01)"), "{found}");
    assert!(!found.contains("geheim4711"), "{found}");
}

#[tokio::test]
async fn no_connection_string_and_a_wrong_one_are_usage_errors() {
    let none = finish(&mut command(&["doctor"])).await;
    assert_eq!(none.status, Some(2));
    assert!(none.stderr.contains("set DATABASE_URL"), "{none:?}");

    let database = Database::new().await;
    let wrong = finish(
        command(&["doctor"])
            .env("DATABASE_URL", database.connection_string())
            .env("DATABASE_LISTEN_URL", "http://geheim123"),
    )
    .await;
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("DATABASE_LISTEN_URL"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("geheim123"), "{wrong:?}");
}

#[tokio::test]
async fn a_server_that_stops_answering_is_asked_once() {
    let database = Database::new().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        silent_once_open: true,
        ..Faults::default()
    });

    let report = DoctorReport::of(&proxy.connection_string(), &SHORT).await;

    report.assert_failure(
        "connection",
        "see what the server is busy with, and what lies between: a proxy or pooler that hangs",
    );
    assert_eq!(
        report.check("connection").1,
        "the database did not answer within 2s"
    );
    assert_eq!(report.with("skipped"), ALL_CHECKS[1..]);
}

#[tokio::test]
async fn a_standby_is_a_failure() {
    if !is_local() {
        return;
    }
    let mut server = LocalPostgres::start(Durability::None).expect("PostgreSQL starts");
    let url = server.connection_string("postgres");
    migrate::install(&url.parse().expect("a connection string"), true)
        .await
        .expect("it installs");
    // A standby of no primary: it takes read-only sessions, and waits for a primary.
    fs::write(server.data_directory().join("standby.signal"), "").expect("it can be written");
    server.restart().expect("it starts as a standby");

    let report = DoctorReport::of(&url, &[]).await;

    report.assert_failure("writable", "put the primary's address into DATABASE_URL");
    assert_eq!(report.with("skipped"), ["listen", "pooler"]);
    server.stop().expect("it stops");
}
