//! Runs checks one after the other, each with a deadline, and passes over those that have nothing to
//! look at.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::finding::{Check, Finding};
use crate::db;

/// How long the statements of one check may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What has been found so far.
#[derive(Default)]
pub(super) struct Examination {
    checks: Vec<Check>,
    blocked: Vec<&'static str>,
    /// The check after which there is no database to ask.
    lost: Option<&'static str>,
}

impl Examination {
    /// A check that asks the database, if those before it found what it needs.
    pub(super) async fn ask(
        &mut self,
        name: &'static str,
        needs: &[&'static str],
        question: impl Future<Output = Result<Finding, tokio_postgres::Error>>,
    ) {
        if self.passes_over(name, needs) {
            return;
        }
        let finding = match timeout(DEADLINE, question).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                Finding::skipped(db::describe(&error), "mend grants first")
            }
            Ok(Err(error)) => {
                if error.code().is_none() {
                    self.lost = Some(name);
                }
                Finding::failure(
                    db::describe(&error),
                    "see the server's log, and look again when it is well",
                )
            }
            Err(_) => {
                // What comes next would wait for the same answer.
                self.lost = Some(name);
                Finding::failure(
                    format!(
                        "the database did not answer within {}",
                        humantime::format_duration(DEADLINE)
                    ),
                    "see what the server is busy with, and what lies between: a proxy or pooler that hangs",
                )
            }
        };
        self.record(name, finding);
    }

    /// A check that limits itself.
    pub(super) async fn look(
        &mut self,
        name: &'static str,
        needs: &[&'static str],
        look: impl Future<Output = Finding>,
    ) {
        if !self.passes_over(name, needs) {
            let finding = look.await;
            self.record(name, finding);
        }
    }

    pub(super) fn record(&mut self, name: &'static str, finding: Finding) {
        if finding.blocks {
            self.blocked.push(name);
        }
        self.checks.push(finding.named(name));
    }

    /// There is no database to ask.
    pub(super) fn lose(&mut self, name: &'static str, finding: Finding) {
        self.lost = Some(name);
        self.record(name, finding);
    }

    /// All checks, in their order; those that nobody came to are passed over.
    pub(super) fn finish(mut self, all: &[&'static str]) -> Vec<Check> {
        for name in all.iter().skip(self.checks.len()) {
            self.passes_over(name, &[]);
        }
        self.checks
    }

    fn passes_over(&mut self, name: &'static str, needs: &[&'static str]) -> bool {
        let blocked = needs
            .iter()
            .copied()
            .find(|need| self.blocked.contains(need));
        let Some(cause) = self.lost.or(blocked) else {
            return false;
        };
        let finding = Finding::skipped(
            format!("not looked at, because {cause} is not well"),
            format!("mend {cause} first"),
        );
        self.record(name, finding);
        true
    }
}
