//! What a check found, and what to do about it.

use serde::Serialize;
use strum::EnumString;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Warning,
    /// Leads are not moved, or not as they should be.
    Failure,
    /// It had nothing to look at, because of what another check found.
    Skipped,
}

/// One line of `lead-mover doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, which stays the same from version to version.
    pub check: String,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it; `None` where it is as it should be.
    pub advice: Option<String>,
}

/// What a check found, before it has a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) status: Status,
    pub(super) found: String,
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(found: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            found: found.into(),
            advice: None,
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
            ..Self::warning(found, advice)
        }
    }

    pub(super) fn skipped(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            status: Status::Skipped,
            ..Self::warning(found, advice)
        }
    }

    /// Another check found that there is nothing to look at. The SQL function has the same words.
    pub(super) fn skipped_because_of(check: &str) -> Self {
        Self::skipped(format!("skipped: check `{check}` failed"), "fix it first")
    }

    pub(super) fn named(self, check: &str) -> Check {
        Check {
            check: check.to_owned(),
            status: self.status,
            found: self.found,
            advice: self.advice,
        }
    }
}
