//! Takes connections and answers on them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Connections at once; further ones wait to be accepted. Well below 1024, the usual limit of open files
/// of a process.
const MOST_CONNECTIONS: usize = 512;

/// How long to wait when the system gives no connection (too many open files, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves until `stop`; then accepts no connection any more, and finishes the requests that are under way.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    head_timeout: Duration,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some((stream, permit)) = stop.run_until_cancelled(accept(&listener, &slots)).await {
        while connections.try_join_next().is_some() {}
        let answering = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(router.clone()),
            );
        let answering = graceful.watch(answering);
        connections.spawn(async move {
            if let Err(error) = answering.await {
                tracing::debug!(%error, "HTTP connection ended");
            }
            drop(permit);
        });
    }
    graceful.shutdown().await;
}

/// The next connection, when a slot is free.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // It fails only when the semaphore is closed, and nothing closes it.
    let permit = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "cannot accept an HTTP connection");
                sleep_until(Instant::now() + ACCEPT_PAUSE).await;
            }
        }
    }
}
