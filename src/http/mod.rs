//! What the service answers over HTTP: its state, its metrics, and the address of the Edge Function that
//! came before it.

mod api_token;
mod pages;
mod process_queue;
mod server;

use axum::Router;

pub use api_token::ApiToken;
pub(crate) use pages::Pages;
pub(crate) use process_queue::ProcessQueue;
pub(crate) use server::serve;

/// The addresses that the service answers on. Without `process_queue` the old one is not there.
pub(crate) fn router(pages: Pages, process_queue: Option<ProcessQueue>) -> Router {
    let router = pages.router();
    match process_queue {
        Some(process_queue) => router.merge(process_queue.router()),
        None => router,
    }
}
