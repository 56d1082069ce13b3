//! The runs that are too long for every change passed with the present SQL: `make mutants` and `make model`
//! note in `tests/verified.txt` the checksum of the migrations with which they last passed.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

#[test]
fn make_mutants_passed_with_these_migrations() {
    check("mutants");
}

#[test]
fn make_model_passed_with_these_migrations() {
    check("model");
}

/// Compares the noted checksum with the present one; the Makefile has it noted after a run that passed.
fn check(target: &str) {
    let present = checksum();
    #[expect(
        clippy::disallowed_methods,
        reason = "how the Makefile asks for the line to be written"
    )]
    if std::env::var("UPDATE_VERIFIED").is_ok_and(|updated| updated == target) {
        note(target, &present);
    }
    assert_eq!(
        noted(target),
        Some(present),
        "make {target} has not passed with the present migrations; run it"
    );
}

/// Over the paths and contents of all SQL files, in the order of their paths. `schema.sql` is made from them.
fn checksum() -> String {
    let mut checksum = Sha256::new();
    for file in crate::support::files_below("migrations", "sql") {
        if file.path == "migrations/schema.sql" {
            continue;
        }
        for part in [&file.path, &file.text] {
            checksum.update(part);
            checksum.update([0]);
        }
    }
    let bytes = checksum.finalize();
    bytes
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn noted(target: &str) -> Option<String> {
    lines()
        .iter()
        .find_map(|line| line.strip_prefix(target)?.strip_prefix(' '))
        .map(ToOwned::to_owned)
}

fn note(target: &str, checksum: &str) {
    let mut lines = lines();
    lines.retain(|line| line.starts_with('#') || line.split(' ').next() != Some(target));
    lines.push(format!("{target} {checksum}"));
    fs::write(notes(), lines.join("\n") + "\n").expect("it is written");
}

fn lines() -> Vec<String> {
    let text = fs::read_to_string(notes()).expect("tests/verified.txt");
    text.lines().map(ToOwned::to_owned).collect()
}

fn notes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verified.txt")
}
