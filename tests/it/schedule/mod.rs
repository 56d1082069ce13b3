//! `lead_mover.schedule`: `pg_cron` processes batches where there is no place for a service.

mod command;
mod jobs;
mod runs;
