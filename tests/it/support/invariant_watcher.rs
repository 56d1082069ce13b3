//! Checks invariants of a move again and again while it runs, and how the service uses its sessions.

use pg_connection::ConnectionSettings;
use tokio::task::JoinHandle;
use tokio::time::{Duration, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{DISAGREEMENTS, Database, Session};

/// Looks until [`InvariantWatcher::report`], through any restart of the server.
pub(crate) struct InvariantWatcher {
    enough: CancellationToken,
    looking: JoinHandle<Seen>,
}

#[derive(Default)]
struct Seen {
    looks: u32,
    moved: i64,
    wrong: Vec<String>,
}

impl InvariantWatcher {
    pub(crate) fn of(database: &Database, run: Uuid) -> Self {
        let enough = CancellationToken::new();
        let looking = look_on(database.settings(), run, enough.clone());
        #[expect(clippy::disallowed_methods, reason = "joined by `report`")]
        let looking = tokio::spawn(looking);
        Self { enough, looking }
    }

    /// Fails if anything was ever wrong.
    pub(crate) async fn report(self) {
        self.enough.cancel();
        let seen = self.looking.await.expect("it looks");
        assert_eq!(seen.wrong, Vec::<String>::new());
        assert!(seen.looks > 0, "it never saw anything");
    }
}

async fn look_on(settings: ConnectionSettings, run: Uuid, enough: CancellationToken) -> Seen {
    let mut seen = Seen::default();
    let mut ticks = interval(Duration::from_millis(20));
    let mut session = None;
    while enough.run_until_cancelled(ticks.tick()).await.is_some() {
        if session.is_none() {
            session = pg_connection::open_session(&settings, "invariant watcher")
                .await
                .ok();
        }
        if let Some(open) = &session
            && look(open, run, &mut seen).await.is_err()
        {
            session = None;
        }
    }
    seen
}

async fn look(session: &Session, run: Uuid, seen: &mut Seen) -> Result<(), tokio_postgres::Error> {
    let row = session.query_one(DISAGREEMENTS, &[]).await?;
    seen.wrong.extend(row.get::<_, Vec<String>>(0));
    let idle: i64 = session
        .query_one(
            "select count(*) from pg_stat_activity
             where datname = current_database() and application_name like 'lead-mover%'
               and state like 'idle in transaction%'",
            &[],
        )
        .await?
        .get(0);
    if idle > 0 {
        seen.wrong.push("idle in a transaction".to_owned());
    }
    let moved: Option<i64> = session
        .query_one(
            "select max(moved)::bigint from public.get_lead_migration_progress($1)",
            &[&run],
        )
        .await?
        .get(0);
    let moved = moved.unwrap_or(0);
    if moved < seen.moved {
        seen.wrong
            .push(format!("moved fell from {} to {moved}", seen.moved));
    }
    seen.moved = moved;
    seen.looks += 1;
    Ok(())
}

impl Database {
    /// How many sessions the service has in this database.
    pub(crate) async fn sessions_of_the_service(&self) -> i64 {
        self.value(
            "select count(*) from pg_stat_activity
             where datname = current_database() and application_name like 'lead-mover%'",
            &[],
        )
        .await
    }
}
