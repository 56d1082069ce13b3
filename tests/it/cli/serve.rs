//! What `lead-mover serve` reports about itself: metrics, readiness, its log.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use crate::support::{Database, Service, eventually, get};

/// So long that no test depends on a poll.
const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];

#[tokio::test]
async fn everything_is_counted_from_the_start() {
    let database = Database::new().await;
    let service = Service::start(&database, &NO_POLL).await;

    for series in [
        "lead_mover_leads_moved_total",
        "lead_mover_leads_rejected_total",
        "lead_mover_batches_total{outcome=\"moved\"}",
        "lead_mover_batches_total{outcome=\"failed\"}",
        "lead_mover_batches_total{outcome=\"move_failed\"}",
        "lead_mover_batches_total{outcome=\"message_archived\"}",
        "lead_mover_batch_duration_seconds_count",
        "lead_mover_pickup_seconds_count",
        "lead_mover_wakeups_total{reason=\"notify\"}",
        "lead_mover_reconnects_total{connection=\"listener\"}",
        "lead_mover_errors_total{kind=\"connection\"}",
    ] {
        assert_eq!(service.metric(series).await, 0.0, "{series}");
    }
    assert_eq!(service.metric("lead_mover_listener_connected").await, 1.0);
    let version = format!(
        "lead_mover_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(service.metric(&version).await, 1.0);
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let database = Database::empty().await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;

    eventually("the missing schema is noticed", async || {
        let (status, body) = service.readyz().await;
        status == 503 && body["schema"] == "missing" && body["listener"] == "hearing"
    })
    .await;
    assert_eq!(
        get(service.address(), "/healthz").await.0,
        200,
        "the process is healthy all the same"
    );
}

#[tokio::test]
async fn readiness_does_not_advise_to_migrate_a_newer_schema() {
    let database = Database::new().await;
    database
        .run("insert into lead_mover.schema_files values ('versioned/9999_future.sql', 'x')")
        .await;

    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;

    eventually("the newer schema is noticed", async || {
        let (status, body) = service.readyz().await;
        status == 503 && body["schema"] == "newer" && body["listener"] == "hearing"
    })
    .await;
    assert_eq!(
        service.count_logged(
            "a newer lead-mover installed this database's schema; upgrade this service, \
             migrating would not help"
        ),
        1
    );
    assert!(!format!("{:?}", service.log()).contains("run `lead-mover migrate`"));
}

#[tokio::test]
async fn a_server_that_is_down_is_waited_for_with_one_line() {
    let service = Service::start_unready("postgresql://u:geheim123@127.0.0.1:1/x", &NO_POLL).await;

    eventually("several tries have failed", async || {
        service
            .metric("lead_mover_errors_total{kind=\"connection\"}")
            .await
            > 5.0
    })
    .await;

    assert_eq!(
        service.count_logged("database not reached; trying again"),
        1
    );
    assert_eq!(
        service.count_logged("listener lost; polling until it is back"),
        1
    );
    let log = format!("{:?}", service.log());
    assert!(!log.contains("geheim123"), "{log}");
    let (status, body) = service.readyz().await;
    assert_eq!((status, &body["database"]), (503, &"lost".into()), "{body}");
    assert_eq!(service.stop().await, Some(0), "it stops while it waits");
}

#[tokio::test]
async fn an_address_that_is_taken_ends_it_with_status_1() {
    let database = Database::new().await;
    let first = Service::start(&database, &NO_POLL).await;

    let output = crate::support::command(&["serve", "--http-addr", first.address()])
        .env("DATABASE_URL", database.connection_string())
        .output()
        .await
        .expect("it runs");

    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(stderr.contains("cannot serve HTTP"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
