//! What a check found, and what to do about it.

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Warning,
    /// Leads are not moved, or not as they should be.
    Failure,
    /// Nothing could be told, because of what another check found.
    Skipped,
}

/// One line of `lead-mover doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, which stays the same from version to version.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; none where it is as it should be.
    pub advice: Option<String>,
}

/// What a check found, before it has a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) status: Status,
    pub(super) found: String,
    pub(super) advice: Option<String>,
    /// Whether it leaves checks that come after it nothing to look at.
    pub(super) blocks: bool,
}

impl Finding {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            found: found.into(),
            advice: None,
            blocks: false,
        }
    }

    pub(super) fn warning(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            status: Status::Warning,
            advice: Some(advice.into()),
            ..Self::ok(found)
        }
    }

    pub(super) fn failure(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            status: Status::Failure,
            blocks: true,
            ..Self::warning(found, advice)
        }
    }

    pub(super) fn skipped(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            status: Status::Skipped,
            ..Self::failure(found, advice)
        }
    }

    /// Wrong, and other checks can look at theirs all the same.
    pub(super) fn and_others_go_on(self) -> Self {
        Self {
            blocks: false,
            ..self
        }
    }

    pub(super) fn named(self, check: &'static str) -> Check {
        Check {
            check,
            status: self.status,
            found: self.found,
            advice: self.advice,
        }
    }
}

/// The advice to run one or more statements.
pub(super) fn run_sql(statements: &[String]) -> String {
    format!("run: {};", statements.join("; "))
}
