mod connection;
mod findings;
mod roles;
