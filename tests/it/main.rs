//! The integration tests: one binary, one PostgreSQL, a database a test.
#![cfg(test)]

mod architecture;
mod batches;
mod cancel;
mod cancel_races;
mod cli;
mod controls;
mod demo;
mod enqueue;
mod enqueue_races;
mod failing;
mod failing_batches;
mod failing_moves;
mod hostile_names;
mod installing;
mod lead_index;
mod mapping;
mod message_refusals;
mod messages;
mod people;
mod people_locks;
mod privileges;
mod progress;
mod refusals;
mod result_columns;
mod resume;
mod retry;
mod retry_refused;
mod schema_sql;
mod stopping;
mod support;
mod target_deleted;
mod timeouts;
mod upgrading;
mod waking;
mod watching;
