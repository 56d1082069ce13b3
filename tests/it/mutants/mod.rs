//! Mutation tests of the SQL: each changes a function as a developer might wrongly write it, and names the
//! ordinary test that has to fail then. `make mutants` runs them.
//!
//! A mutant is made in a copy of the template. Then this same binary is run once more with that copy as
//! its template, and with two of its tests: the one that has to fail, and one that moves an ordinary run
//! and has to pass, so that SQL which does not work at all does not count as a mutant that was noticed.

mod announcements;
mod batches;
mod failures;
mod moves;
mod repairs;
mod rights;
mod triggers;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{Database, PRIVATE_VARIABLE, TEMPLATE_VARIABLE, finish, is_local};

/// Every mutant passes it.
const EVERYDAY: &str = "moves::batches::each_call_moves_one_batch_and_reports_it";

/// Longer than a test waits for a state that never comes.
const RUN_TIMEOUT: Duration = Duration::from_secs(120);

/// A text in a file of `migrations/`, and the text that replaces it in the mutant.
struct Change {
    /// Below `migrations/`, without `.sql`.
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// A test for each mutant: `name, noticed by "the test that has to fail": in "file" "text" => "text";`,
/// where every occurrence of a text is replaced.
macro_rules! mutants {
    ($(
        $(#[doc = $comment:literal])*
        $name:ident, noticed by $test:literal:
            $(in $file:literal $($from:literal => $to:literal)+)+;
    )+) => {$(
        $(#[doc = $comment])*
        #[tokio::test]
        #[ignore = "run by make mutants"]
        async fn $name() {
            let changes = [$($(super::Change { file: $file, from: $from, to: $to }),+),+];
            super::assert_noticed(&changes, $test).await;
        }
    )+};
}
use mutants;

async fn assert_noticed(changes: &[Change], test: &str) {
    let template = changed_template(changes).await;
    let mut command = Command::new(std::env::current_exe().expect("it has a path"));
    command
        .args(["--exact", EVERYDAY, test])
        .args(["--test-threads=2", "--color=never"])
        .env("TEST_DATABASE_URL", template.connection_string())
        .env(TEMPLATE_VARIABLE, template.name())
        .kill_on_drop(true);
    if is_local() {
        command.env(PRIVATE_VARIABLE, "1");
    }
    let _dropped_at_end = template.close();

    let run = timeout(RUN_TIMEOUT, finish(&mut command))
        .await
        .unwrap_or_else(|_| panic!("{test} neither passes nor fails"));

    let printed = |verdict: &str| run.stdout.contains(verdict);
    assert!(
        printed("\nrunning 2 tests\n"),
        "there is no {test}: {run:?}"
    );
    assert!(
        printed(&format!("\ntest {EVERYDAY} ... ok\n")),
        "it does not even move an ordinary run:\n{}",
        run.stdout
    );
    assert!(
        printed(&format!("\ntest {test} ... FAILED\n")),
        "{test} does not notice:\n{}{}",
        run.stdout,
        run.stderr
    );
}

/// A database to be copied, in which the functions are the changed ones.
async fn changed_template(changes: &[Change]) -> Database {
    let mut files = BTreeMap::new();
    for Change { file, from, to } in changes {
        let text = files.entry(file).or_insert_with(|| text_of(file));
        assert!(text.contains(from), "{file} no longer has {from:?}");
        *text = text.replace(from, to);
    }
    let database = Database::new().await;
    for text in files.values() {
        database.run(text).await;
    }
    database
}

fn text_of(file: &str) -> String {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    fs::read_to_string(migrations.join(format!("{file}.sql"))).expect("an SQL file")
}
