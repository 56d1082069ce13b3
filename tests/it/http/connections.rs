//! Many connections at once, and clients that never finish a request.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Database, Service, get};

/// A client that takes longer than this for its request is given up.
const SHORT: &str = "http_head=1s,http_body=1s";

#[tokio::test]
async fn the_connection_of_a_request_that_is_never_finished_is_closed() {
    let database = Database::new().await;
    let service = Service::start(&database, &["--api-token", "key", "--timings", SHORT]).await;

    for beginning in [
        "",
        "GET /healthz HT",
        "POST /functions/v1/process-lead-migration-queue HTTP/1.1\r\nhost: x\r\napikey: key\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();

        let mut answer = String::new();
        // Ends when the server closes the connection.
        stream.read_to_string(&mut answer).await.unwrap();

        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(
            ["", "400", "408"].contains(&status),
            "{beginning}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_thousand_idle_connections_do_not_keep_others_out_for_good() {
    let database = Database::new().await;
    let service = Service::start(&database, &["--timings", SHORT]).await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(service.address()).await.unwrap());
    }

    assert_eq!(get(service.address(), "/healthz").await.0, 200);
    assert_eq!(get(service.address(), "/readyz").await.0, 200);
    drop(idle);
}
