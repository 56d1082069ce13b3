//! The integration tests: one binary, one PostgreSQL, a database a test.
#![cfg(test)]

mod announcements;
mod architecture;
mod cli;
mod controls;
mod dashboards;
mod deployment;
mod docs;
mod doctor;
mod failures;
mod http;
mod ids;
mod install;
mod keys;
mod model;
mod monitoring;
mod moves;
mod mutants;
mod queueing;
mod repairs;
mod rights;
mod schedule;
mod service;
mod supabase;
mod support;
mod transactions;
mod triggers;
mod verified;
