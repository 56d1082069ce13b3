//! Batches in a transaction of an application's own.

mod constraints;
