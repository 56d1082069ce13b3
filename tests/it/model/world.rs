//! The database, and the sessions of everybody who does something in it.

use std::sync::Arc;

use uuid::Uuid;

use super::expected::Expected;
use super::operations::{RUNS, TARGETS, USERS, WORKERS};
use super::sight::Statements;
use super::users::Person;
use super::workers::{IMPATIENT, Worker};
use crate::support::{Database, Session};

/// Funnel and column.
pub(super) type Place = (Option<Uuid>, Option<Uuid>);

// Indices of the places.
pub(super) const NOWHERE: usize = 0;
/// In the funnel of a target, but in no column of it.
pub(super) const HALFWAY: usize = 1;
pub(super) const INBOX: usize = 2;
pub(super) const FIRST_TARGET: usize = 3;

pub(super) struct World<'db> {
    pub(super) database: &'db Database,
    pub(super) places: Vec<Place>,
    pub(super) runs: Vec<Uuid>,
    /// An application that gives up where it would have to wait; it also looks at things for the checks.
    pub(super) app: Session,
    /// An application that waits.
    pub(super) patient: Arc<Session>,
    pub(super) patient_pid: i32,
    pub(super) workers: Vec<Worker>,
    pub(super) users: Vec<Person>,
    pub(super) statements: Statements,
    pub(super) expected: Expected,
    /// How many leads users have added.
    pub(super) added: usize,
}

impl<'db> World<'db> {
    pub(super) async fn new(database: &'db Database) -> Self {
        database.run(include_str!("world.sql")).await;
        let crm = database.crm().await;
        let mut places = vec![
            (None, None),
            (Some(crm.target.funnel), None),
            (Some(crm.inbox.funnel), Some(crm.inbox.column)),
            (Some(crm.target.funnel), Some(crm.target.column)),
        ];
        while places.len() < FIRST_TARGET + TARGETS {
            let target = crm.another_target().await;
            places.push((Some(target.funnel), Some(target.column)));
        }
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(crm.run_of(0).await);
        }
        let app = open(database, "app", IMPATIENT).await;
        let patient = open(database, "patient", "set lock_timeout = 0").await;
        let patient_pid = patient
            .query_one("select pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0);
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            workers.push(Worker::new(database, number).await);
        }
        let mut users = Vec::new();
        for _ in 0..USERS {
            users.push(Person {
                session: open(database, "person", IMPATIENT).await,
                is_in_transaction: false,
                changes: Vec::new(),
            });
        }
        Self {
            statements: Statements::prepare(&app).await,
            database,
            places,
            runs,
            app,
            patient: Arc::new(patient),
            patient_pid,
            workers,
            users,
            expected: Expected::default(),
            added: 0,
        }
    }
}

async fn open(database: &Database, name: &str, setting: &str) -> Session {
    let session = pg_connection::open_session(&database.settings(), name)
        .await
        .expect("it opens");
    session.batch_execute(setting).await.unwrap();
    session
}
