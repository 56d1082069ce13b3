//! Moves a great many CRM leads between kanban columns in a live PostgreSQL, in small batches, the
//! moment it is asked to.
//!
//! The database functions in `migrations/` do the work and keep every promise; this library is the
//! always-on service that calls them, and the command line around it. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod cli;
pub mod config;
pub mod doctor;
mod error;
mod health;
mod http;
mod listener;
mod lost_batch;
mod metrics;
pub mod migrate;
mod pipeline;
pub mod queue;
mod report;
mod retry;
mod sampler;
pub mod schema;
mod session;
mod shutdown;
mod supervisor;
pub mod timings;
mod wake;
mod worker;
