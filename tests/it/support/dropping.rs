//! What the tests create on the server goes again: a database with its test, the rest when all tests end.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread::JoinHandle;

use tokio::runtime::Runtime;

use super::database::{Session, maintenance};

/// A test's database, which is dropped with this value.
pub(crate) struct DroppedAtEnd {
    name: String,
    connection_string: String,
}

/// A thread drops one database after the other, so that no test waits for it.
struct Thread {
    names: Sender<String>,
    joined: JoinHandle<()>,
}

static THREAD: LazyLock<Mutex<Option<Thread>>> = LazyLock::new(|| {
    let (names, received) = channel();
    let joined = std::thread::spawn(move || drop_each(&received));
    Mutex::new(Some(Thread { names, joined }))
});
static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LATER: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl DroppedAtEnd {
    pub(super) fn new(name: &str, connection_string: &str) -> Self {
        Self {
            name: name.to_owned(),
            connection_string: connection_string.to_owned(),
        }
    }
}

impl Drop for DroppedAtEnd {
    fn drop(&mut self) {
        if keeps_databases() {
            let kept = std::mem::take(&mut self.connection_string);
            KEPT.lock().unwrap().push(kept);
        } else if let Some(thread) = &*THREAD.lock().unwrap() {
            // Fails when the thread has: then it has said why.
            let _ = thread.names.send(std::mem::take(&mut self.name));
        }
    }
}

/// Whether the tester wants to look at the databases after the tests.
pub(super) fn keeps_databases() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let value = std::env::var_os("TEST_KEEP_DATABASE");
    value.is_some_and(|value| value == "1")
}

/// For the tester: how to connect to the databases that stay.
pub(super) fn print_kept() {
    for connection_string in KEPT.lock().unwrap().iter() {
        eprintln!("kept: psql \"{connection_string}\"");
    }
}

/// `what` as `drop` needs it. What was created last is dropped first.
pub(super) fn drop_when_all_tests_end(what: String) {
    LATER.lock().unwrap().push(what);
}

/// Waits for the databases of the tests that have ended.
pub(super) fn finish_dropping() {
    let thread = THREAD.lock().unwrap().take();
    if let Some(Thread { names, joined }) = thread {
        drop(names);
        joined.join().expect("it drops databases");
    }
}

/// Drops templates and roles, which would stay on a server that stays.
pub(super) fn drop_the_rest() {
    if keeps_databases() {
        return; // The roles may own what is in the databases.
    }
    runtime().block_on(async {
        let session = maintenance().await;
        let created = std::mem::take(&mut *LATER.lock().unwrap());
        for what in created.iter().rev() {
            drop_in(&session, what).await;
        }
    });
}

fn drop_each(names: &Receiver<String>) {
    let runtime = runtime();
    let mut session: Option<Session> = None;
    while let Ok(name) = names.recv() {
        runtime.block_on(async {
            if session.is_none() {
                session = Some(maintenance().await);
            }
            let session = session.as_ref().expect("it was opened");
            drop_in(session, &format!("database if exists {name} with (force)")).await;
        });
    }
}

async fn drop_in(session: &Session, what: &str) {
    if let Err(error) = session.batch_execute(&format!("drop {what}")).await {
        eprintln!("drop {what}: {}", pg_connection::describe(&error));
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
