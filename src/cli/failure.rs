//! What a command that failed prints: one line, and the status it exits with.

use std::process::ExitCode;

use thiserror::Error;

use super::output::print_error_line;
use crate::config::ConfigError;
use crate::error::{ErrorKind, db_error};
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
        Some(advice) => print_error_line(format_args!(
            "error: {}; {advice}",
            pg_connection::describe(root)
        )),
        None => print_error_line(format_args!("error: {}", pg_connection::describe(root))),
    }
    if let Some(hint) = hint(root).filter(|_| advice.is_none()) {
        print_error_line(format_args!("hint: {hint}"));
    }
    ExitCode::from(if is_wrong_use(root) { 2 } else { 1 })
}

fn is_wrong_use(error: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(feature = "demo")]
    if let Some(local_postgres::LocalPostgresError::ProgramsNotFound) = error.downcast_ref() {
        return true;
    }
    error.is::<ConfigError>() || error.is::<WrongUse>()
}

fn advice(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    // Where `migrate` misses a table, the advice to run it is of no use.
    if error.is::<MigrateError>() || db_error(error).is_none() {
        return None;
    }
    ErrorKind::of(error).advice()
}

fn hint(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    db_error(error)?.hint().map(ToOwned::to_owned)
}
