//! The PostgreSQL that is measured, with the example schema and the runs that a part needs.

use lead_mover::migrate;
use lead_mover::queue::Queue;
use local_postgres::{Durability, LocalPostgres};
use pg_connection::ConnectionSettings;
use tokio_postgres::Client;
use uuid::{Uuid, uuid};

pub(crate) const RUN: Uuid = uuid!("a0000000-0000-4000-8000-000000000001");
pub(crate) const FUNNEL: Uuid = uuid!("f0000000-0000-4000-8000-000000000002");
pub(crate) const COLUMN: Uuid = uuid!("c0000000-0000-4000-8000-000000000002");

/// A server with the example schema, and a connection to it.
pub(crate) struct Fixture {
    connection_string: String,
    settings: ConnectionSettings,
    client: Client,
    _server: LocalPostgres,
}

impl Fixture {
    pub(crate) async fn prepare(server_settings: &[(String, String)]) -> Self {
        let mut server = LocalPostgres::start(Durability::Full).expect("PostgreSQL starts");
        let connection_string = server.connection_string("postgres");
        let settings: ConnectionSettings = connection_string.parse().expect("a connection string");
        set_for_the_next_start(&settings, server_settings).await;
        server.restart().expect("PostgreSQL starts again");
        migrate::install(&settings, true)
            .await
            .expect("it installs");
        let client = pg_connection::open_session(&settings, "bench")
            .await
            .expect("it opens");
        client
            .batch_execute(&format!(
                "insert into public.funnels (id, name)
                 values ('f0000000-0000-4000-8000-000000000001', 'A'), ('{FUNNEL}', 'B');
                 insert into public.columns (id, funnel_id, name)
                 values
                   ('c0000000-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'A'),
                   ('{COLUMN}', '{FUNNEL}', 'B')"
            ))
            .await
            .expect("data can be loaded");
        Self {
            connection_string,
            settings,
            client,
            _server: server,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn connection_string(&self) -> &str {
        &self.connection_string
    }

    pub(crate) async fn execute(&self, statement: &str) {
        self.client
            .batch_execute(statement)
            .await
            .expect("it is executed");
    }

    pub(crate) async fn open(&self) -> Client {
        pg_connection::open_session(&self.settings, "bench")
            .await
            .expect("it opens")
    }

    pub(crate) async fn queue(&self) -> Queue {
        Queue::connect(&self.settings, "bench")
            .await
            .expect("it opens")
    }

    /// Replaces all data by these runs, as after an import: the same keys each time, no statistics, no vacuum,
    /// and no dirty buffers.
    pub(crate) async fn import(&self, runs: &[(Uuid, i32)]) {
        self.client
            .batch_execute(
                "truncate public.leads, public.runs, lead_mover.moves cascade;
                 truncate pgmq.q_lead_migration_queue, pgmq.a_lead_migration_queue",
            )
            .await
            .expect("it can be emptied");
        for (run, leads) in runs {
            self.client
                .batch_execute(&format!(
                    "insert into public.runs (id, name) values ('{run}', 'bench');
                     insert into public.leads (id, run_id, funnel_id, column_id, name, phone)
                     select
                       md5('{run}' || n)::uuid,
                       '{run}',
                       'f0000000-0000-4000-8000-000000000001',
                       'c0000000-0000-4000-8000-000000000001',
                       format('Lead %s', n),
                       format('+55 11 9%s', n)
                     from generate_series(1, {leads}) as n"
                ))
                .await
                .expect("data can be loaded");
        }
        self.client
            .batch_execute("checkpoint")
            .await
            .expect("it is written");
    }

    pub(crate) async fn check_all_at_target(&self, leads: i32) {
        let there: i64 = self
            .client
            .query_one(
                "select count(*) from public.leads where column_id = $1",
                &[&COLUMN],
            )
            .await
            .expect("it can be counted")
            .get(0);
        assert_eq!(there, i64::from(leads));
    }
}

/// These settings, and commit timestamps, which are the times at which moves finish.
async fn set_for_the_next_start(
    settings: &ConnectionSettings,
    server_settings: &[(String, String)],
) {
    let client = pg_connection::open_session(settings, "bench")
        .await
        .expect("it opens");
    let commit_timestamps = ("track_commit_timestamp".to_owned(), "on".to_owned());
    for (name, value) in server_settings.iter().chain([&commit_timestamps]) {
        let statement: String = client
            .query_one(
                "select format('alter system set %I = %L', $1::text, $2::text)",
                &[name, value],
            )
            .await
            .expect("it can be quoted")
            .get(0);
        client
            .batch_execute(&statement)
            .await
            .unwrap_or_else(|error| panic!("{name}={value}: {}", pg_connection::describe(&error)));
    }
}
