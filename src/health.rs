//! The state of the service right now, kept as data: `/readyz` shows it, and a change of it is a
//! log line, so that something that stays down is logged once and not once a try.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::sync::watch;

use crate::metrics;
use crate::report;
use crate::schema::SchemaState;

/// Whether the workers reach the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DatabaseState {
    /// Not tried yet, or not reached yet.
    Connecting,
    /// Every worker's last call was answered.
    Reached,
    /// A worker's last call was answered with an error, not a batch's; it is being tried again.
    Failing,
    /// A worker has no session; it is being opened again.
    Lost,
}

/// Whether notifications come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListenerState {
    /// Not proved yet.
    Connecting,
    /// A probe came in, and the session still listens.
    Hearing,
    /// The session accepts `LISTEN` but nothing comes in, as behind a transaction-mode pooler or in another database.
    Deaf,
    /// The session broke; it is being opened again.
    Lost,
    /// No notifications are wanted, by choice.
    Off,
}

/// All that `/readyz` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    pub(crate) database: DatabaseState,
    pub(crate) schema: Option<SchemaState>,
    pub(crate) listener: ListenerState,
    pub(crate) draining: bool,
}

impl Health {
    /// Whether the service is ready.
    pub(crate) fn is_ready(self) -> bool {
        self.database == DatabaseState::Reached
            && self.has_its_schema()
            && matches!(self.listener, ListenerState::Hearing | ListenerState::Off)
            && !self.draining
    }

    /// Whether the database has this binary's schema, as far as is state.
    pub(crate) fn has_its_schema(self) -> bool {
        self.schema == Some(SchemaState::Current)
    }
}

/// Where the tasks report to; clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct HealthReporter(watch::Sender<State>);

#[derive(Debug)]
struct State {
    health: Health,
    /// The names of the workers whose last call failed. One that works does not make up for one that does
    /// not: the state would change to and fro, and be logged each time.
    without_database: BTreeMap<String, DatabaseState>,
}

impl HealthReporter {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State {
            health: Health {
                database: DatabaseState::Connecting,
                schema: None,
                listener: ListenerState::Connecting,
                draining: false,
            },
            without_database: BTreeMap::new(),
        }))
    }

    pub(crate) fn now(&self) -> Health {
        self.0.borrow().health
    }

    /// Returns when the service is ready.
    pub(crate) async fn ready(&self) {
        let mut health = self.0.subscribe();
        // It fails only when the sender is gone, and that is `self`.
        let _ready = health.wait_for(|state| state.health.is_ready()).await;
    }

    pub(crate) fn database_reached(&self, worker: &str) {
        if self.change_database(worker, DatabaseState::Reached) {
            tracing::info!("database reached");
        }
    }

    /// The worker has no session, or is answered with an error that is not a batch's.
    pub(crate) fn database_lost(
        &self,
        worker: &str,
        state: DatabaseState,
        error: &(dyn std::error::Error + 'static),
    ) {
        let kind = report::database_error(error);
        if self.change_database(worker, state) {
            let what = match state {
                DatabaseState::Failing => "no batch can be processed",
                _ => "database not reached",
            };
            tracing::error!(
                error = pg_connection::describe(error),
                kind = <&str>::from(kind),
                advice = kind.advice(),
                "{what}; trying again"
            );
        }
    }

    pub(crate) fn schema(&self, state: SchemaState) {
        if !self.change(|health| &mut health.schema, Some(state)) {
            return;
        }
        match state {
            SchemaState::Current => {}
            SchemaState::Missing | SchemaState::Outdated => tracing::error!(
                ?state,
                "the database has another schema; run `lead-mover migrate`"
            ),
            SchemaState::Newer => tracing::error!(
                ?state,
                "a newer lead-mover installed this database's schema; upgrade this service, \
                 migrating would not help"
            ),
        }
    }

    pub(crate) fn listener_hearing(&self) {
        metrics::listener_connected(true);
        if self.change(|health| &mut health.listener, ListenerState::Hearing) {
            tracing::info!("listening for notifications");
        }
    }

    pub(crate) fn listener_off(&self) {
        metrics::listener_off();
        if self.change(|health| &mut health.listener, ListenerState::Off) {
            tracing::info!("not listening, because DATABASE_LISTEN_URL is off; polling");
        }
    }

    pub(crate) fn listener_deaf(&self) {
        metrics::listener_connected(false);
        if self.change(|health| &mut health.listener, ListenerState::Deaf) {
            tracing::warn!(
                "no notification comes in over this connection (a transaction-mode pooler?); polling \
                 instead. Set DATABASE_LISTEN_URL to a direct or session-mode connection to the same database"
            );
        }
    }

    pub(crate) fn listener_lost(&self, error: &(dyn std::error::Error + 'static)) {
        metrics::listener_connected(false);
        report::database_error(error);
        if self.change(|health| &mut health.listener, ListenerState::Lost) {
            tracing::warn!(
                error = pg_connection::describe(error),
                "listener lost; polling until it is back"
            );
        }
    }

    pub(crate) fn draining(&self) {
        if self.change(|health| &mut health.draining, true) {
            tracing::info!("stopping: no new batch");
        }
    }

    /// Sets the state of one worker; `true` when that changed the state of all.
    fn change_database(&self, worker: &str, of_worker: DatabaseState) -> bool {
        self.0.send_if_modified(|state| {
            if of_worker == DatabaseState::Reached {
                state.without_database.remove(worker);
            } else {
                state.without_database.insert(worker.to_owned(), of_worker);
            }
            let mut of_workers = state.without_database.values().copied();
            // All are without it, or it is reached in part: the first says why.
            let of_all = of_workers.next().unwrap_or(DatabaseState::Reached);
            std::mem::replace(&mut state.health.database, of_all) != of_all
        })
    }

    /// Sets one field; `true` when that changed it.
    fn change<T: PartialEq>(&self, field: impl FnOnce(&mut Health) -> &mut T, value: T) -> bool {
        self.0.send_if_modified(|state| {
            let field = field(&mut state.health);
            let changed = *field != value;
            *field = value;
            changed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_database_schema_and_listener() {
        let health = HealthReporter::new();
        assert!(!health.now().is_ready());

        health.database_reached("worker 1");
        health.schema(SchemaState::Current);
        assert!(!health.now().is_ready(), "deaf is not ready");

        health.listener_hearing();
        assert!(health.now().is_ready());

        for other in [
            SchemaState::Missing,
            SchemaState::Outdated,
            SchemaState::Newer,
        ] {
            health.schema(other);
            assert!(!health.now().is_ready(), "{other:?}");
        }
        health.schema(SchemaState::Current);
        assert!(health.now().is_ready());

        health.listener_off();
        assert!(health.now().is_ready(), "poll-only by choice");

        health.draining();
        assert!(!health.now().is_ready());
    }
}
