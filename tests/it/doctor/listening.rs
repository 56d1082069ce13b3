//! `lead-mover doctor`: notifications from the database.

use crate::doctor::connection::SHORT;
use crate::support::{Database, DoctorReport, Faults, Proxy, doctor};

const LISTEN_ELSEWHERE: &str =
    "put a direct or session-mode connection (Supabase: port 5432) into DATABASE_LISTEN_URL";

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
