//! Prometheus' own tool checks the files, and the service's metrics.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::path;
use crate::support::{Database, Service, code_of, words};

/// Runs promtool with that on its standard input; it must succeed.
async fn promtool(arguments: &[&str], files: &[PathBuf], input: &str) {
    // Where a test of a rule fails, it leaves its storage behind.
    let directory = tempfile::tempdir().expect("a directory");
    let mut process = Command::new("promtool")
        .args(arguments)
        .args(files)
        .env("TMPDIR", directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("promtool is not installed: run scripts/setup tests"),
            _ => panic!("promtool does not run: {error}"),
        });
    let mut stdin = process.stdin.take().expect("it is piped");
    stdin
        .write_all(input.as_bytes())
        .await
        .expect("it is taken");
    drop(stdin);
    let output = process.wait_with_output().await.expect("it ends");
    let printed =
        [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(output.status.success(), "{arguments:?}: {printed:?}");
}

/// The files of a directory, at least one.
fn files_in(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(path(directory))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{directory} is empty");
    files
}

fn text_of(file: &Path) -> String {
    fs::read_to_string(file).expect("UTF-8")
}

/// What follows those words on the lines that begin with them.
fn values_of<'text>(text: &'text str, key: &str) -> Vec<&'text str> {
    text.lines()
        .filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix(key))
        .collect()
}

#[tokio::test]
async fn prometheus_accepts_the_configuration_and_the_rules() {
    promtool(
        &["check", "config"],
        &[path("prometheus/prometheus.yml")],
        "",
    )
    .await;
    promtool(
        &["check", "rules", "--lint=all", "--lint-fatal"],
        &files_in("prometheus/rules"),
        "",
    )
    .await;
}

#[tokio::test]
async fn the_rules_pass_their_own_tests() {
    promtool(&["test", "rules"], &files_in("prometheus/tests"), "").await;
}

#[test]
fn each_alert_has_a_test_that_fires_it_and_one_that_does_not() {
    let tests: String = files_in("prometheus/tests")
        .iter()
        .map(|it| text_of(it))
        .collect();
    let alerts = text_of(&path("prometheus/rules/alerts.yml"));
    for alert in values_of(&alerts, "alert: ") {
        let expected = format!("- expr: ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}\n");
        let answers: BTreeSet<bool> = tests
            .split(&expected)
            .skip(1)
            .filter_map(|after| after.lines().nth(1))
            .map(|line| line.trim() == "exp_samples: []")
            .collect();
        assert_eq!(answers.len(), 2, "{alert}");
    }
}

#[test]
fn each_alert_has_a_severity_a_summary_a_description_and_a_runbook_link() {
    let alerts = text_of(&path("prometheus/rules/alerts.yml"));
    let names = values_of(&alerts, "alert: ");
    assert!(names.len() >= 7, "{names:?}");
    for key in ["severity: ", "summary: ", "description: "] {
        assert_eq!(values_of(&alerts, key).len(), names.len(), "{key}");
    }
    let severities = BTreeSet::from_iter(values_of(&alerts, "severity: "));
    assert_eq!(severities, BTreeSet::from(["critical", "warning"]));
    let sections: Vec<String> = names
        .iter()
        .map(|name| format!("docs/runbook.md#{}", name.to_lowercase()))
        .collect();
    assert_eq!(values_of(&alerts, "runbook_url: "), sections);
}

#[test]
fn the_rules_use_only_metrics_that_exist() {
    let metrics = code_of("metrics");
    let metrics = words(&metrics);
    let rules: String = files_in("prometheus/rules")
        .iter()
        .map(|it| text_of(it))
        .collect();
    let recorded = values_of(&rules, "record: ");
    let mut found = 0;
    for line in rules
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        // A recorded series has colons in its name; the name of its source is between them.
        for series in line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            if series.contains(':') && series.contains("lead_mover_") && !series.ends_with(':') {
                assert!(recorded.contains(&series), "{series}: {line}");
            } else if series.starts_with("lead_mover_") {
                let metric = series.strip_suffix("_bucket").unwrap_or(series);
                assert!(metrics.contains(metric), "{series}: {line}");
                found += 1;
            }
        }
    }
    assert!(found > 10, "only {found}");
}

#[tokio::test]
async fn promtool_finds_the_services_metrics_well_formed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let service = Service::start(&database, &[]).await;
    crm.enqueue(run).await;
    crm.completed(run).await;

    promtool(&["check", "metrics"], &[], &service.metrics().await).await;
}
