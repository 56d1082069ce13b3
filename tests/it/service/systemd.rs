//! What systemd is told of the service.

use tokio::net::UnixDatagram;

use nix::sys::signal::Signal;

use crate::support::{Database, Service};

async fn next_message(socket: &UnixDatagram) -> String {
    let mut buffer = vec![0; 4096];
    let length = socket.recv(&mut buffer).await.expect("a datagram");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let database = Database::new().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");

    let mut service = Service::start_with(
        &database.connection_string(),
        &["--poll-interval", "1h"],
        &[("NOTIFY_SOCKET", &path.to_string_lossy())],
    )
    .await;

    let message = next_message(&socket).await;
    assert!(message.contains("READY=1"), "{message}");
    assert_eq!(service.readyz().await.0, 200);
    service.signal(Signal::SIGTERM);
    assert_eq!(next_message(&socket).await.trim_end(), "STOPPING=1");
    assert_eq!(service.exit().await, Some(0));
}
