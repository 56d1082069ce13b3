//! The roles that the tests need. They belong to the whole server, and what is installed without
//! Supabase's differs from what is installed with them, so they come before everything else.

use std::sync::OnceLock;

use pg_connection::ConnectionSettings;
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::database::{Database, Session, maintenance, value};
use super::dropping::drop_when_all_tests_end;
use super::server::connection_string;

const USE: &str = include_str!("../../../docs/use.md");
const USE_PT_BR: &str = include_str!("../../../docs/use.pt-BR.md");
const READ_ONLY_ROLE: &str = include_str!("../../../grafana/read-only-role.sql");

/// Supabase's three, and one that nothing was granted to.
const SHARED: [&str; 4] = [
    "anon",
    "authenticated",
    "service_role",
    "lead_mover_stranger",
];

/// A role that can log in and was granted nothing: what `lead_mover_worker` of docs/use.md is at first.
/// Its name is that of this run of the tests, so that it is nobody's own.
pub(crate) fn worker() -> String {
    format!("lead_mover_worker_{}", std::process::id())
}

/// A role that can log in and owns a CRM: no superuser, as on every managed server.
pub(crate) fn owner() -> String {
    format!("lead_mover_owner_{}", std::process::id())
}

/// A role that can log in: what `grafana/read-only-role.sql` calls `lead_mover_grafana`.
pub(crate) fn grafana() -> String {
    format!("lead_mover_grafana_{}", std::process::id())
}

/// Supabase's roles are used as they are where they are there already.
pub(super) async fn create_roles() {
    let session = maintenance().await;
    // Of several processes one looks and creates at a time. The session's end unlocks.
    session
        .batch_execute("select pg_advisory_lock(7)")
        .await
        .expect("it is locked");
    for role in SHARED {
        let there: bool = value(
            &session,
            "select exists (select from pg_roles where rolname = $1)",
            &[&role as &(dyn ToSql + Sync)],
        )
        .await;
        if !there {
            create(&session, role, "nologin").await;
        }
    }
    for role in [worker(), owner(), grafana()] {
        create(&session, &role, &format!("login password '{}'", password())).await;
    }
}

async fn create(session: &Session, role: &str, options: &str) {
    session
        .batch_execute(&format!("create role {role} {options}"))
        .await
        .expect("a role can be created");
    drop_when_all_tests_end(format!("role {role}"));
}

fn password() -> &'static str {
    static PASSWORD: OnceLock<String> = OnceLock::new();
    PASSWORD.get_or_init(|| Uuid::new_v4().simple().to_string())
}

impl Database {
    /// A connection string for a role that can log in.
    pub(crate) fn connection_string_as(&self, role: &str) -> String {
        let string = connection_string(self.name());
        // Of two values of a parameter the last counts.
        if string.starts_with("postgres") {
            format!("{string}&user={role}&password={}", password())
        } else {
            format!("{string} user={role} password={}", password())
        }
    }

    pub(crate) fn settings_as(&self, role: &str) -> ConnectionSettings {
        self.connection_string_as(role)
            .parse()
            .expect("a connection string")
    }

    /// A session of a role that can log in.
    pub(crate) async fn log_in(&self, role: &str) -> Session {
        pg_connection::open_session(&self.settings_as(role), "test")
            .await
            .expect("it opens")
    }

    /// Whether views may have the rights of the session that reads them: not before PostgreSQL 15.
    pub(crate) async fn has_invoker_views(&self) -> bool {
        let version = "select current_setting('server_version_num')::int >= 150000";
        self.value(version, &[]).await
    }

    /// A session of any role.
    pub(crate) async fn open_in_role(&self, role: &str) -> Session {
        let session = self.open().await;
        session
            .batch_execute(&format!("set role {role}"))
            .await
            .expect("the role is there");
        session
    }

    /// Gives the role what docs/use.md says that the role of `serve` has to have.
    pub(crate) async fn grant_service_rights(&self, role: &str) {
        let (creation, grants) = documented_grants(0).split_once(";\n").expect("several");
        assert_eq!(creation, "create role lead_mover_worker login password '…'");
        self.run(&grants.replace("lead_mover_worker", role)).await;
    }

    /// Gives the role what docs/use.md says that the commands need.
    pub(crate) async fn grant_command_rights(&self, role: &str) {
        let grants = documented_grants(1);
        self.run(&grants.replace("lead_mover_worker", role)).await;
    }

    /// Makes the role what Grafana's has to be, by the file that the product has for it.
    pub(crate) async fn grant_reading_rights(&self, role: &str) {
        // Roles belong to the whole server, and two sessions that change one at a time fail.
        static TURN: Mutex<()> = Mutex::const_new(());
        let _turn = TURN.lock().await;
        self.run(&READ_ONLY_ROLE.replace("lead_mover_grafana", role))
            .await;
    }
}

/// Of the SQL blocks of docs/use.md that name the role of the service, the one with that index; both
/// languages must say the same.
fn documented_grants(index: usize) -> &'static str {
    let [english, portuguese] = [USE, USE_PT_BR].map(|page| {
        page.split("```")
            .filter_map(|block| block.strip_prefix("sql\n"))
            .filter(|block| block.contains("lead_mover_worker"))
            .nth(index)
            .expect("the page has it")
    });
    assert_eq!(english, portuguese);
    english
}
