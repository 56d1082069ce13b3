//! A PostgreSQL that one test has for itself, to be killed or set up badly.

use std::fs;

use local_postgres::{Durability, LocalPostgres, LocalPostgresError, Programs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use super::server::dump_with;
use super::{Crm, Database, Session};

/// Runs as long as it lives. What it acknowledged survives its processes, as on a real server.
pub(crate) struct OwnServer(LocalPostgres);

impl OwnServer {
    pub(crate) fn start() -> Self {
        Self(LocalPostgres::start(Durability::Full).expect("PostgreSQL starts"))
    }

    /// The same with those programs.
    pub(crate) fn start_with(programs: Programs) -> Result<Self, LocalPostgresError> {
        LocalPostgres::start_with(programs, Durability::Full).map(Self)
    }

    /// A new database of that name, with the schema installed over the example tables.
    pub(crate) async fn database(&self, name: &str) -> Database {
        self.create(name).await;
        Database::installed_at(&self.connection_string(name)).await
    }

    /// A new database of that name with nothing in it.
    pub(crate) async fn empty_database(&self, name: &str) -> Database {
        self.create(name).await;
        Database::at(&self.connection_string(name)).await
    }

    async fn create(&self, name: &str) {
        self.maintenance()
            .await
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("it is created");
    }

    /// The server's own psql, connected to that database.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.0.programs().directory().join("psql"));
        command.arg(self.connection_string(database));
        command
    }

    /// All of that database, as its own `pg_dump` tells it.
    pub(crate) fn dump(&self, database: &str) -> String {
        let program = self.0.programs().directory().join("pg_dump");
        dump_with(&program, &self.connection_string(database), &[])
    }

    /// The schema alone.
    pub(crate) fn dump_schema(&self, database: &str) -> String {
        let program = self.0.programs().directory().join("pg_dump");
        dump_with(&program, &self.connection_string(database), &["-s"])
    }

    pub(crate) fn connection_string(&self, database: &str) -> String {
        self.0.connection_string(database)
    }

    /// Puts a line before those of `pg_hba.conf`, and makes the server read it.
    pub(crate) async fn admit(&self, line: &str) {
        let file = self.0.data_directory().join("pg_hba.conf");
        let lines = fs::read_to_string(&file).expect("it is there");
        fs::write(&file, format!("{line}\n{lines}")).expect("it is written");
        self.maintenance()
            .await
            .batch_execute("select pg_reload_conf()")
            .await
            .expect("it reloads");
    }

    /// SIGKILL to its main process; its others end by themselves.
    pub(crate) fn kill(&self) {
        let pid = self.0.pid().expect("it runs").cast_signed();
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it can be killed");
    }

    /// Starts it again on its data.
    pub(crate) fn restart(&mut self) {
        self.0.restart().expect("it starts again");
    }

    async fn maintenance(&self) -> Session {
        pg_connection::open_session(&self.connection_string("postgres").parse().unwrap(), "test")
            .await
            .expect("it opens")
    }
}

/// SIGKILL to a process of a server of ours.
pub(crate) fn kill_backend(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it can be killed");
}

impl Crm<'_> {
    /// The same CRM over another session, after the server has lost the first one's.
    pub(crate) fn over<'other>(&self, database: &'other Database) -> Crm<'other> {
        Crm { database, ..*self }
    }
}
