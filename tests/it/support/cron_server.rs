//! A server with `pg_cron`, which has to be loaded when it starts and works in one database of it.

use std::time::Duration;

use super::{Database, OwnServer, eventually_within, is_left_out};

const WITHOUT: &str = "TEST_WITHOUT_PG_CRON";

/// `pg_cron` begins a run a minute, or a second.
const RUN_TIMEOUT: Duration = Duration::from_secs(150);

pub(crate) struct CronServer {
    pub(crate) server: OwnServer,
    /// Where the jobs are, with the schema installed over the example tables.
    pub(crate) database: Database,
}

impl CronServer {
    /// None where the environment has the setting that this server has no such extension.
    pub(crate) async fn start() -> Option<Self> {
        if is_left_out(WITHOUT) {
            return None;
        }
        let mut server = OwnServer::start();
        let maintenance = server.empty_database("crm").await;
        let is_available =
            "select exists (select from pg_available_extensions where name = 'pg_cron')";
        assert!(
            maintenance.value::<bool>(is_available, &[]).await,
            "PostgreSQL's extension pg_cron is not installed: run scripts/setup tests, or install Debian's \
             package postgresql-VERSION-cron; where there is none, set {WITHOUT}=1"
        );
        // Its settings are known once it is loaded.
        maintenance
            .run("alter system set shared_preload_libraries = 'pg_cron'")
            .await;
        server.restart();
        let maintenance = maintenance.reopened().await;
        let socket: String = maintenance
            .value("select current_setting('unix_socket_directories')", &[])
            .await;
        for setting in [
            "cron.database_name = 'crm'".to_owned(),
            format!("cron.host = '{socket}'"),
        ] {
            maintenance
                .run(&format!("alter system set {setting}"))
                .await;
        }
        server.restart();
        let database = Database::installed_at(&server.connection_string("crm")).await;
        database.run("create extension pg_cron").await;
        Some(Self { server, database })
    }

    /// The shortest schedule of this version: a second from 1.5 on.
    pub(crate) async fn shortest(&self) -> &'static str {
        if self.has_seconds().await {
            "1 second"
        } else {
            "* * * * *"
        }
    }

    pub(crate) async fn has_seconds(&self) -> bool {
        let query =
            "select extversion !~ '^1\\.[0-4](\\D|$)' from pg_extension where extname = 'pg_cron'";
        self.database.value(query, &[]).await
    }

    /// Waits until a query that is true or false is true.
    pub(crate) async fn until(&self, query: &str) {
        eventually_within(RUN_TIMEOUT, query, async || {
            self.database.value(query, &[]).await
        })
        .await;
    }
}
