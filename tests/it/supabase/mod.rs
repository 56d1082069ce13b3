//! Supabase's own command line and client, against a server that is set up like one of its projects.
//!
//! The command line and the client are real, from npm. What a project has beside PostgreSQL is not: no package
//! registry has PostgREST, so [`api`] stands in for it, and no host's roles are its own.

mod api;
mod calls;
mod command_line;
mod installed;
mod project;
