//! How a command that failed says so: one line, and the status it exits with.
#![expect(
    clippy::print_stderr,
    reason = "the one place where a command says that it failed"
)]

use std::process::ExitCode;

use thiserror::Error;

use crate::config::ConfigError;
use crate::db;
use crate::error::{ErrorKind, said_by_the_server};
use crate::local_postgres::LocalPostgresError;
use crate::migrate::MigrateError;

/// The command was called in a way that cannot work: exit status 2.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct WrongUse(pub(super) String);

/// Prints the error with its causes on one line, and the server's hint below it where there is one.
pub(super) fn print(error: &anyhow::Error) -> ExitCode {
    let root: &(dyn std::error::Error + 'static) = error.as_ref();
    let advice = advice(root);
    match advice {
        Some(advice) => eprintln!("error: {}; {advice}", db::describe(root)),
        None => eprintln!("error: {}", db::describe(root)),
    }
    if let Some(hint) = hint(root).filter(|_| advice.is_none()) {
        eprintln!("hint: {hint}");
    }
    let wrong_use = root.is::<ConfigError>()
        || root.is::<WrongUse>()
        || matches!(
            root.downcast_ref(),
            Some(LocalPostgresError::ProgramsNotFound)
        );
    ExitCode::from(if wrong_use { 2 } else { 1 })
}

fn advice(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    // A migration that misses a table is not helped by being told to migrate.
    if error.is::<MigrateError>() || said_by_the_server(error).is_none() {
        return None;
    }
    ErrorKind::of(error).advice()
}

fn hint(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    said_by_the_server(error)?.hint().map(ToOwned::to_owned)
}
