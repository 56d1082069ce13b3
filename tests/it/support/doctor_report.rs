//! `lead-mover doctor`, and what it found.

use serde_json::Value;

use super::{Database, Finished, command, finish};

/// All checks, in their order.
pub(crate) const ALL_CHECKS: [&str; 19] = [
    "connection",
    "server",
    "writable",
    "pgmq",
    "schema",
    "grants",
    "exposure",
    "row_security",
    "mapping",
    "index",
    "trigger",
    "listen",
    "pooler",
    "statement_timeout",
    "connections",
    "long_transactions",
    "service",
    "realtime",
    "moves",
];

/// The command with that connection string, and a password in it that must not be seen again.
pub(crate) async fn doctor(url: &str, arguments: &[&str]) -> Finished {
    let finished = finish(
        command(&["doctor"])
            .args(arguments)
            .env("DATABASE_URL", with_password(url)),
    )
    .await;
    let said = format!("{finished:?}");
    assert!(!said.contains("geheim123"), "{said}");
    assert_eq!(finished.stderr, "");
    finished
}

/// Another server may need a password of its own.
fn with_password(url: &str) -> String {
    if url.contains("password") || url.contains("://") {
        url.to_owned()
    } else {
        format!("{url} password=geheim123")
    }
}

/// What it found, as JSON; text and exit status have to say the same.
pub(crate) struct DoctorReport {
    pub(crate) status: Option<i32>,
    checks: Vec<Value>,
}

impl DoctorReport {
    pub(crate) async fn of(url: &str, arguments: &[&str]) -> Self {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let finished = doctor(url, &arguments).await;
        let answer: Value = serde_json::from_str(&finished.stdout).expect("JSON");
        assert_eq!(answer["ok"], Value::Bool(finished.status == Some(0)));
        let checks = answer["checks"].as_array().expect("a list").clone();
        let names: Vec<&str> = checks
            .iter()
            .map(|check| check["check"].as_str().expect("a name"))
            .collect();
        assert_eq!(names, ALL_CHECKS);
        for check in &checks {
            let is_ok = check["status"] == "ok";
            assert_eq!(check["advice"].is_null(), is_ok, "{check}");
        }
        Self {
            status: finished.status,
            checks,
        }
    }

    /// Status, finding and advice of one check.
    pub(crate) fn check(&self, name: &str) -> (&str, &str, Option<&str>) {
        let check = self.checks.iter().find(|check| check["check"] == name);
        let check = check.expect("it was made");
        (
            check["status"].as_str().expect("text"),
            check["found"].as_str().expect("text"),
            check["advice"].as_str(),
        )
    }

    /// The names of the checks with that status.
    pub(crate) fn with(&self, status: &str) -> Vec<&str> {
        self.checks
            .iter()
            .filter(|check| check["status"] == status)
            .map(|check| check["check"].as_str().expect("text"))
            .collect()
    }

    /// Everything is as it should be, but for the age of the server that the tests run on, and no service runs.
    pub(crate) fn assert_all_pass(&self) {
        let mut wrong = self.with("warning");
        wrong.extend(self.with("failure"));
        wrong.extend(self.with("skipped"));
        wrong.retain(|name| !["server", "service"].contains(name));
        assert_eq!(wrong, Vec::<&str>::new(), "{:?}", self.checks);
        assert_eq!(self.status, Some(0));
    }

    /// The one check that failed, with this advice.
    pub(crate) fn assert_failure(&self, name: &str, advice: &str) {
        assert_eq!(self.with("failure"), [name], "{:?}", self.checks);
        assert_eq!(self.check(name).2, Some(advice));
        assert_eq!(self.status, Some(1));
    }
}

impl Database {
    /// What the doctor finds there.
    pub(crate) async fn doctor_report(&self) -> DoctorReport {
        DoctorReport::of(&self.connection_string(), &[]).await
    }

    /// Runs the statements that the check advises to run; after that every check passes.
    pub(crate) async fn follow_advice(&self, report: &DoctorReport, name: &str) {
        let advice = report.check(name).2.expect("something to do");
        let statements = advice.strip_prefix("run: ").expect("statements");
        self.run(statements).await;
        self.doctor_report().await.assert_all_pass();
    }
}
