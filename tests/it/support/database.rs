//! A database a test, copied from a template that has the schema and the example tables.

use std::sync::atomic::{AtomicU32, Ordering};

use lead_mover::migrate;
use pg_connection::ConnectionSettings;
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::Crm;
use super::dropping::{DroppedAtEnd, drop_when_all_tests_end};
use super::server::{connection_string, settings_for};

/// Names the database that [`Database::new`] copies, where another process has made one.
pub(crate) const TEMPLATE_VARIABLE: &str = "TEST_DATABASE_TEMPLATE";

/// A session of an application or of a person.
pub(crate) type Session = Client;

/// A database of its own. It is dropped with this value, even if sessions are still open there.
pub(crate) struct Database {
    name: String,
    connection_string: String,
    session: Session,
    /// None for a database of another server, and for another session of the same database.
    dropped: Option<DroppedAtEnd>,
}

impl Database {
    /// One with the schema installed over the example tables.
    pub(crate) async fn new() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(|| async {
                if let Some(given) = given_template() {
                    return given;
                }
                let name = fresh_name("template");
                create(&name, "template1").await;
                drop_when_all_tests_end(format!("database {name} with (force)"));
                migrate::install(&settings_for(&name), true)
                    .await
                    .expect("it installs");
                name
            })
            .await;
        Self::copy_of(template).await
    }

    /// The same, but that tables, functions and all belong to [`owner`](super::owner), who is no
    /// superuser.
    pub(crate) async fn of_owner() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(|| async {
                let name = fresh_name("template");
                create(&name, "template1").await;
                drop_when_all_tests_end(format!("database {name} with (force)"));
                let database = Self::at(&connection_string(&name)).await;
                let owner = super::owner();
                database
                    .run(&format!(
                        "alter database {name} owner to {owner}; grant create on schema public to {owner}"
                    ))
                    .await;
                migrate::install(&database.settings_as(&owner), true)
                    .await
                    .expect("it installs");
                name
            })
            .await;
        Self::copy_of(template).await
    }

    /// One with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::copy_of("template1").await
    }

    pub(super) async fn copy_of(template: &str) -> Self {
        let name = fresh_name("test");
        create(&name, template).await;
        let connection_string = connection_string(&name);
        let dropped = Some(DroppedAtEnd::new(&name, &connection_string));
        Self {
            dropped,
            ..Self::at(&connection_string).await
        }
    }

    /// One of another server, which the test itself has created there: with the schema installed over the
    /// example tables.
    pub(crate) async fn installed_at(connection_string: &str) -> Self {
        let database = Self::at(connection_string).await;
        migrate::install(&database.settings(), true)
            .await
            .expect("it installs");
        database
    }

    /// The same again with a session that works, after its server has lost the first one's.
    pub(crate) async fn reopened(&self) -> Self {
        Self::at(&self.connection_string).await
    }

    pub(super) async fn at(connection_string: &str) -> Self {
        let settings: ConnectionSettings = connection_string.parse().expect("a connection string");
        let session = pg_connection::open_session(&settings, "test")
            .await
            .expect("it opens");
        Self {
            name: settings.dbname().to_owned(),
            connection_string: connection_string.to_owned(),
            session,
            dropped: None,
        }
    }

    /// Ends the test's own session: a database that is in use cannot be copied. It is dropped with the answer.
    pub(crate) fn close(self) -> Option<DroppedAtEnd> {
        self.dropped
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn settings(&self) -> ConnectionSettings {
        self.connection_string.parse().expect("a connection string")
    }

    pub(crate) fn connection_string(&self) -> String {
        self.connection_string.clone()
    }

    /// The test's own session.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Another session beside the test's own.
    pub(crate) async fn open(&self) -> Session {
        self.open_as("test").await
    }

    /// Another session, that calls itself so.
    pub(crate) async fn open_as(&self, name: &str) -> Session {
        pg_connection::open_session(&self.settings(), name)
            .await
            .expect("it opens")
    }

    /// Two funnels with a column each, and whatever the test puts there.
    pub(crate) async fn crm(&self) -> Crm<'_> {
        Crm::new(self).await
    }

    /// How many sessions of this database wait for a lock.
    pub(crate) async fn waiting(&self) -> i64 {
        let query = "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'";
        self.value(query, &[]).await
    }

    /// How many sessions of this database wait for a lock of that kind.
    pub(crate) async fn waiting_for(&self, kind: &str) -> i64 {
        let query = "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock' and wait_event = $1";
        self.value(query, &[&kind]).await
    }

    /// Settings for every session that is opened from now on.
    pub(crate) async fn set(&self, settings: &[&str]) {
        for setting in settings {
            self.run(&format!("alter database {} set {setting}", self.name))
                .await;
        }
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&self, statements: &str) {
        self.session
            .batch_execute(statements)
            .await
            .unwrap_or_else(|error| {
                panic!("{}: {statements}", pg_connection::describe(&error));
            });
    }

    /// The one value that a query answers with.
    pub(crate) async fn value<T>(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> T
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        value(&self.session, query, parameters).await
    }
}

/// The one value that a query answers with, in that session.
pub(crate) async fn value<T>(
    session: &Session,
    query: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> T
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    session
        .query_one(query, parameters)
        .await
        .unwrap_or_else(|error| panic!("{}: {query}", pg_connection::describe(&error)))
        .get(0)
}

/// The template that another process of the tests has made; see [`crate::mutants`].
fn given_template() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how one process of the tests tells another"
    )]
    std::env::var(TEMPLATE_VARIABLE).ok()
}

async fn create(name: &str, template: &str) {
    static ROLES: OnceCell<()> = OnceCell::const_new();
    ROLES.get_or_init(super::roles::create_roles).await;
    maintenance()
        .await
        .batch_execute(&format!("create database {name} template {template}"))
        .await
        .expect("a database can be created");
}

pub(super) async fn maintenance() -> Session {
    pg_connection::open_session(&settings_for("postgres"), "test")
        .await
        .expect("it opens")
}

/// Not even two runs of the tests on one server share a name.
fn fresh_name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("lead_mover_{kind}_{}_{count}", std::process::id())
}
