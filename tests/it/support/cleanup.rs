//! Removes what the tests create: a database when its test ends, the rest when all tests have ended.

use std::sync::{Mutex, OnceLock, mpsc};
use std::thread::{self, JoinHandle};

use super::database::maintenance;

/// A thread of its own, because a test that ends does not wait.
struct Cleaner {
    databases: mpsc::Sender<String>,
    thread: JoinHandle<()>,
}

static CLEANER: OnceLock<Mutex<Option<Cleaner>>> = OnceLock::new();
static AT_THE_END: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Whether databases are to stay, so that the tester can look at them.
pub(super) fn keeps_databases() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    std::env::var_os("TEST_KEEP_DATABASE").is_some()
}

/// Drops a database soon, with its sessions.
pub(super) fn drop_database(name: &str, connection_string: &str) {
    if keeps_databases() {
        println!("kept: {connection_string}");
        return;
    }
    let cleaner = CLEANER.get_or_init(|| Mutex::new(Some(Cleaner::start())));
    if let Some(cleaner) = &*cleaner.lock().unwrap() {
        cleaner.databases.send(name.to_owned()).unwrap();
    }
}

/// What to drop when the tests are over, on a server that goes on: `database x` or `role y`.
pub(super) fn drop_at_the_end(what: String) {
    AT_THE_END.lock().unwrap().push(what);
}

/// Drops all that is left.
pub(super) fn finish() {
    if keeps_databases() {
        return;
    }
    let cleaner = CLEANER
        .get()
        .and_then(|cleaner| cleaner.lock().unwrap().take());
    if let Some(Cleaner { databases, thread }) = cleaner {
        drop(databases);
        thread.join().unwrap();
    }
    let left = std::mem::take(&mut *AT_THE_END.lock().unwrap());
    run(left.iter().rev());
}

impl Cleaner {
    fn start() -> Self {
        let (databases, names) = mpsc::channel::<String>();
        let thread = thread::spawn(move || {
            let statements = names
                .iter()
                .map(|name| format!("database if exists {name} with (force)"));
            run(statements);
        });
        Self { databases, thread }
    }
}

fn run(what: impl Iterator<Item = impl AsRef<str>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut session = None;
    for what in what {
        let statement = format!("drop {}", what.as_ref());
        runtime.block_on(async {
            let session = match &session {
                Some(session) => session,
                None => session.insert(maintenance().await),
            };
            // The tests' own server may be stopping, and takes all databases with it.
            if let Err(error) = session.batch_execute(&statement).await {
                eprintln!("{statement}: {}", pg_connection::describe(&error));
            }
        });
    }
}
