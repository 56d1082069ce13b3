//! The integration tests: one binary, one PostgreSQL, a database a test.
#![cfg(test)]

mod architecture;
mod batches;
// mod cancel;
mod cli;
mod demo;
mod enqueue;
mod failing;
mod installing;
mod lead_index;
// mod messages;
// mod people;
// mod privileges;
// mod progress;
mod schema_sql;
mod serve;
mod support;
mod upgrading;
