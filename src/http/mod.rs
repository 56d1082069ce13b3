//! What the service serves over HTTP: its state, its metrics, and the address of the Edge Function that
//! it replaces.

mod pages;
mod process_queue;
mod server;

use axum::Router;

pub(crate) use pages::Pages;
pub(crate) use process_queue::ProcessQueue;
pub(crate) use server::serve;

/// All addresses. Without `process_queue` the Edge Function's is not served.
pub(crate) fn router(pages: Pages, process_queue: Option<ProcessQueue>) -> Router {
    let router = pages.router();
    match process_queue {
        Some(process_queue) => router.merge(process_queue.router()),
        None => router,
    }
}
