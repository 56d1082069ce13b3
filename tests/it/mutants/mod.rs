//! Tests with teeth: each of the naive variants of the SQL functions listed here is one that somebody
//! might really write, and one that an ordinary test must notice.
//!
//! A variant is made in a copy of the template. Then this same binary is run once more with that copy as
//! its template, and with two of its tests: the one that has to fail, and one that moves an everyday run
//! and has to pass, so that SQL which does not work at all is not taken for a variant that was noticed.

mod batches;
mod failures;
mod moves;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{Database, TEMPLATE_VARIABLE, finish};

/// Every variant passes it.
const EVERYDAY: &str = "moves::batches::each_call_moves_one_batch_and_reports_it";

/// Longer than any test waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a file below `migrations/functions` says, and what it says in the variant.
struct Change {
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// A test for each variant: `name, noticed by "the test that has to fail": in "file" "text" => "text";`,
/// where every occurrence of a text is replaced.
macro_rules! variants {
    ($(
        $(#[doc = $comment:literal])*
        $name:ident, noticed by $test:literal:
            $(in $file:literal $($from:literal => $to:literal)+)+;
    )+) => {$(
        $(#[doc = $comment])*
        #[tokio::test]
        async fn $name() {
            let changes = [$($(super::Change { file: $file, from: $from, to: $to }),+),+];
            super::assert_noticed(&changes, $test).await;
        }
    )+};
}
use variants;

async fn assert_noticed(changes: &[Change], test: &str) {
    let template = changed_template(changes).await;
    let mut command = Command::new(std::env::current_exe().expect("it has a path"));
    command
        .args(["--exact", EVERYDAY, test])
        .args(["--test-threads=2", "--color=never"])
        .env("TEST_DATABASE_URL", template.connection_string())
        .env(TEMPLATE_VARIABLE, template.name())
        .kill_on_drop(true);
    drop(template); // what is copied may not be in use

    let run = timeout(PATIENCE, finish(&mut command))
        .await
        .unwrap_or_else(|_| panic!("{test} neither passes nor fails"));

    let said = |verdict: &str| run.stdout.contains(verdict);
    assert!(said("\nrunning 2 tests\n"), "there is no {test}: {run:?}");
    assert!(
        said(&format!("\ntest {EVERYDAY} ... ok\n")),
        "it does not even move an everyday run:\n{}",
        run.stdout
    );
    assert!(
        said(&format!("\ntest {test} ... FAILED\n")),
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
        assert!(text.contains(from), "{file} no longer says {from:?}");
        *text = text.replace(from, to);
    }
    let database = Database::new().await;
    for text in files.values() {
        database.run(text).await;
    }
    database
}

fn text_of(file: &str) -> String {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/functions");
    fs::read_to_string(functions.join(format!("{file}.sql"))).expect("a function's file")
}
