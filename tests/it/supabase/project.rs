//! A server with the roles, default privileges and time-outs of a Supabase project.

use crate::support::{Database, OwnServer};

/// The role that owns the project's tables: `postgres` on Supabase, which is no superuser there. Here that is the name
/// of the server's superuser.
pub(super) const OWNER: &str = "project_owner";

pub(super) struct Project {
    pub(super) database: Database,
    pub(super) server: OwnServer,
}

impl Project {
    /// With the CRM's tables, under row level security as the dashboard recommends.
    pub(super) async fn start() -> Self {
        let server = OwnServer::start();
        let database = server.empty_database("project").await;
        database
            .run(&format!(
                "create role anon nologin;
                 create role authenticated nologin;
                 create role service_role nologin bypassrls;
                 create role authenticator login noinherit;
                 create role {OWNER} login createdb createrole replication bypassrls;
                 grant anon, authenticated, service_role to authenticator;
                 grant anon, authenticated, service_role to {OWNER} with admin option;
                 alter role anon set statement_timeout = '3s';
                 alter role authenticated set statement_timeout = '8s';
                 alter role authenticator set statement_timeout = '8s';
                 alter database project set search_path = \"$user\", public, extensions;
                 alter database project owner to {OWNER};
                 grant usage, create on schema public to {OWNER};
                 grant usage on schema public to anon, authenticated, service_role;
                 create schema extensions authorization {OWNER};
                 grant usage on schema extensions to anon, authenticated, service_role;
                 alter default privileges for role {OWNER} in schema public
                   grant all on tables to anon, authenticated, service_role;
                 alter default privileges for role {OWNER} in schema public
                   grant all on functions to anon, authenticated, service_role;
                 alter default privileges for role {OWNER} in schema public
                   grant all on sequences to anon, authenticated, service_role"
            ))
            .await;
        Self { database, server }
    }

    /// A connection string for one of its roles, over the server's socket.
    pub(super) fn connection_string(&self, role: &str) -> String {
        // Of two values of a parameter the last counts.
        format!("{} user={role}", self.server.connection_string("project"))
    }
}
