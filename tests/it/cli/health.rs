//! `lead-mover health`, with which container engines and scripts ask for the health of a running service.

use std::net::TcpListener;

use crate::support::{Database, Finished, Service, command, finish};

async fn health(arguments: &[&str], address: &str) -> Finished {
    let mut command = command(&["health"]);
    finish(command.args(arguments).env("LEAD_MOVER_HTTP_ADDR", address)).await
}

#[tokio::test]
async fn a_healthy_and_ready_service_has_status_0() {
    let database = Database::new().await;
    let service = Service::start(&database, &[]).await;

    let healthy = health(&[], service.address()).await;
    let ready = health(&["--ready"], service.address()).await;

    assert_eq!(
        (healthy.status, healthy.stdout.as_str()),
        (Some(0), "ok\n"),
        "{healthy:?}"
    );
    assert_eq!(ready.status, Some(0), "{ready:?}");
    assert!(ready.stdout.starts_with("{\"ready\":true"), "{ready:?}");
    assert_eq!(format!("{}{}", healthy.stderr, ready.stderr), "");
}

/// Starting it again would not bring the database back.
#[tokio::test]
async fn a_service_without_its_database_is_healthy_but_not_ready() {
    let service = Service::start_unready("postgresql://u@127.0.0.1:1/x", &[]).await;

    let healthy = health(&[], service.address()).await;
    let ready = health(&["--ready"], service.address()).await;

    assert_eq!(healthy.status, Some(0), "{healthy:?}");
    assert_eq!(ready.status, Some(1), "{ready:?}");
    assert!(ready.stdout.contains("\"ready\":false"), "{ready:?}");
    assert_eq!(ready.stderr.lines().count(), 1, "{ready:?}");
    assert!(ready.stderr.contains("503"), "{ready:?}");
}

/// The setting is the service's own: the address at which it listens.
#[tokio::test]
async fn a_service_that_listens_everywhere_is_asked_on_this_machine() {
    let database = Database::new().await;
    let service = Service::start(&database, &[]).await;
    let everywhere = service.address().replace("127.0.0.1", "0.0.0.0");

    let healthy = health(&[], &everywhere).await;

    assert!(everywhere.starts_with("0.0.0.0:"), "{everywhere}");
    assert_eq!(healthy.status, Some(0), "{healthy:?}");
}

#[tokio::test]
async fn without_a_listener_or_a_response_it_fails() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("it has one").to_string();
    let no_answer = health(&[], &address).await;
    drop(silent);
    let no_listener = health(&[], &address).await;

    for (finished, reason) in [(no_answer, "did not answer"), (no_listener, "cannot ask")] {
        assert_eq!(finished.status, Some(1), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
        assert!(finished.stderr.contains(&address), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
}

#[tokio::test]
async fn a_port_that_is_not_known_cannot_be_asked() {
    let finished = health(&[], "127.0.0.1:0").await;

    assert_eq!(finished.status, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("--http-addr"), "{finished:?}");
}
