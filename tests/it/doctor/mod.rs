mod connection;
mod findings;
mod listening;
mod roles;
