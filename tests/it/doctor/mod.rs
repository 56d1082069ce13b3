mod connection;
mod findings;
mod in_a_session;
mod listening;
mod mapping;
mod moves;
mod roles;
mod service;
