//! `lead-mover doctor`: connections to the database, and notifications from it.

use std::fs;

use lead_mover::migrate;
use local_postgres::{Durability, LocalPostgres};

use crate::support::{
    ALL_CHECKS, Database, DoctorReport, Faults, OwnServer, Proxy, command, doctor, finish, is_local,
};

const LISTEN_ELSEWHERE: &str =
    "put a direct or session-mode connection (Supabase: port 5432) into DATABASE_LISTEN_URL";

/// Where no answer or notification comes, it need not be waited for long.
const SHORT: [&str; 2] = ["--timings", "notify=1s,check=2s"];

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
async fn listening_in_another_database_receives_nothing_from_this_one() {
    let (database, other) = (Database::new().await, Database::new().await);
    let listen_url = format!("{} password=geheim123", other.connection_string());

    let report = DoctorReport::of(
        &database.connection_string(),
        &["--database-listen-url", &listen_url, SHORT[0], SHORT[1]],
    )
    .await;

    report.assert_failure(
        "listen",
        "put the same database of the same server into DATABASE_LISTEN_URL as into DATABASE_URL",
    );
    assert_eq!(
        report.check("listen").1,
        "nothing that is sent over DATABASE_URL comes in over DATABASE_LISTEN_URL"
    );
}

#[tokio::test]
async fn a_listening_connection_that_is_denied_is_a_failure() {
    let database = Database::new().await;

    let report = DoctorReport::of(
        &database.connection_string(),
        &[
            "--database-listen-url",
            "host=127.0.0.1 port=1 user=u password=geheim123",
        ],
    )
    .await;

    report.assert_failure(
        "listen",
        "start the server, or correct the host and port in DATABASE_LISTEN_URL",
    );
    assert_eq!(report.with("skipped"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_listen_that_is_never_answered_is_a_failure() {
    let database = Database::new().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        silent_once_open: true,
        ..Faults::default()
    });

    let report = DoctorReport::of(
        &database.connection_string(),
        &[
            "--database-listen-url",
            &proxy.connection_string(),
            SHORT[0],
            SHORT[1],
        ],
    )
    .await;

    report.assert_failure("listen", LISTEN_ELSEWHERE);
    assert_eq!(
        report.check("listen").1,
        "the listener's connection did not answer within 1s"
    );
    assert_eq!(report.with("skipped"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_pooler_that_loses_notifications_is_a_warning_until_there_is_a_listen_url() {
    let database = Database::new().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        deaf: true,
        ..Faults::default()
    });

    let deaf = doctor(&proxy.connection_string(), &SHORT).await;

    assert_eq!(deaf.status, Some(0), "it works by looking: {deaf:?}");
    for line in [
        format!(
            "WARNING  listen             no notification comes in over DATABASE_URL, as behind a \
             transaction-mode pooler: the service looks every 2 seconds instead; {LISTEN_ELSEWHERE}"
        ),
        format!(
            "WARNING  pooler             DATABASE_URL leads to a transaction-mode pooler \
             (LISTEN without notifications); {LISTEN_ELSEWHERE}"
        ),
    ] {
        assert!(
            deaf.stdout.lines().any(|printed| printed == line),
            "{}",
            deaf.stdout
        );
    }

    let hearing = DoctorReport::of(
        &proxy.connection_string(),
        &[
            "--database-listen-url",
            &database.connection_string(),
            SHORT[0],
            SHORT[1],
        ],
    )
    .await;

    hearing.assert_all_pass();
    assert_eq!(
        hearing.check("pooler").1,
        "DATABASE_URL leads to a transaction-mode pooler (LISTEN without notifications), \
         which the service can live with"
    );
}

#[tokio::test]
async fn a_service_that_is_not_to_listen_needs_no_notifications() {
    let database = Database::new().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        deaf: true,
        ..Faults::default()
    });

    let report = DoctorReport::of(
        &proxy.connection_string(),
        &["--database-listen-url", "off", SHORT[0], SHORT[1]],
    )
    .await;

    report.assert_all_pass();
    assert_eq!(
        report.check("listen").1,
        "DATABASE_LISTEN_URL is off: the service looks every LEAD_MOVER_POLL_INTERVAL"
    );
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
