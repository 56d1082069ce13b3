//! What is told of a move while it goes on: `NOTIFY lead_migration_events`, and messages to Supabase's Realtime.

mod events;
mod realtime;
