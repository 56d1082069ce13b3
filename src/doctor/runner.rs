//! Runs checks one after the other, each with a time-out, and skips those that have no database to ask.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::finding::{Check, Finding};

/// What has been found so far.
pub(super) struct Runner {
    /// How long the statements of one check may take.
    check_timeout: Duration,
    checks: Vec<Check>,
    /// The check after which there is no database to ask.
    lost: Option<&'static str>,
}

impl Runner {
    pub(super) fn new(check_timeout: Duration) -> Self {
        Self {
            check_timeout,
            checks: Vec::new(),
            lost: None,
        }
    }

    /// A check that asks the database.
    pub(super) async fn ask(
        &mut self,
        name: &'static str,
        check: impl Future<Output = Result<Finding, tokio_postgres::Error>>,
    ) {
        let checks = async { Ok(vec![check.await?.named(name)]) };
        self.ask_all(name, checks).await;
    }

    /// Several checks that ask the database together, the first of which is called `name`.
    pub(super) async fn ask_all(
        &mut self,
        name: &'static str,
        checks: impl Future<Output = Result<Vec<Check>, tokio_postgres::Error>>,
    ) {
        if self.lost.is_some() {
            return;
        }
        match timeout(self.check_timeout, checks).await {
            Ok(Ok(checks)) => self.checks.extend(checks),
            Ok(Err(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let found = pg_connection::describe(&error);
                self.record(name, Finding::skipped(found, "fix `grants` first"));
            }
            Ok(Err(error)) => {
                if error.code().is_none() {
                    self.lost = Some(name);
                }
                let found = pg_connection::describe(&error);
                let advice = "see the server's log, and try again when the cause is fixed";
                self.record(name, Finding::failure(found, advice));
            }
            Err(_) => {
                let found = format!(
                    "the database did not answer within {}",
                    humantime::format_duration(self.check_timeout)
                );
                let advice = "see what the server is busy with, and what lies between: a proxy or pooler that hangs";
                // The next check would wait as long.
                self.lose(name, Finding::failure(found, advice));
            }
        }
    }

    pub(super) fn record(&mut self, name: &str, finding: Finding) {
        self.checks.push(finding.named(name));
    }

    /// There is no database to ask.
    pub(super) fn lose(&mut self, name: &'static str, finding: Finding) {
        self.lost = Some(name);
        self.record(name, finding);
    }

    pub(super) fn has_database(&self) -> bool {
        self.lost.is_none()
    }

    /// All checks, in that order; those that were not made are skipped.
    pub(super) fn finish(mut self, all: &[&str]) -> Vec<Check> {
        let cause = self.lost.unwrap_or("connection");
        all.iter()
            .map(|name| {
                let made = self.checks.iter().position(|check| check.check == *name);
                made.map_or_else(
                    || Finding::skipped_because_of(cause).named(name),
                    |position| self.checks.swap_remove(position),
                )
            })
            .collect()
    }
}
