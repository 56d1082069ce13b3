//! The rules of ARCHITECTURE.md that the text of the sources can break.

mod dependencies;
mod files;
mod sql;
mod vocabulary;

use std::collections::BTreeSet;

use crate::support::{code, code_of, files_with, words};

fn assert_has_none_of(module: &str, forbidden: &[&str]) {
    let code = code_of(module);
    let words = words(&code);
    for word in forbidden {
        assert!(!words.contains(word), "{module} has the word {word}");
    }
}

#[test]
fn the_worker_must_not_depend_on_the_listener_sql_text_or_the_environment() {
    assert_has_none_of("worker", &["listener", "Listener", "env", "tokio_postgres"]);
    assert_has_no_sql_text("worker");
}

#[test]
fn modules_that_call_the_queue_have_no_sql_text_of_their_own() {
    for module in [
        "app",
        "supervisor",
        "shutdown",
        "pipeline",
        "report",
        "sampler",
        "health",
        "http",
    ] {
        assert_has_no_sql_text(module);
    }
}

/// Statements begin in lower case in this repository; a comma or a dot after the word is prose.
fn assert_has_no_sql_text(module: &str) {
    let code = code_of(module).to_lowercase();
    for statement in [
        "\"select ",
        "\"update ",
        "\"insert ",
        "\"delete ",
        "\"notify ",
        "\"listen ",
        "\"call ",
        "\"set ",
        "\"begin",
        "lead_mover.",
        "public.",
        "pgmq.",
    ] {
        assert!(!code.contains(statement), "{module} has {statement:?}");
    }
}

#[test]
fn the_listener_must_not_depend_on_leads_the_queue_or_the_worker() {
    assert_has_none_of(
        "listener",
        &[
            "queue", "Queue", "Batch", "leads", "run_id", "worker", "Worker", "pipeline",
            "Pipeline",
        ],
    );
}

#[test]
fn the_queue_never_sleeps_retries_logs_or_counts() {
    assert_has_none_of(
        "queue",
        &[
            "sleep",
            "sleep_until",
            "timeout",
            "interval",
            "Instant", // sleeps
            "Backoff",
            "Reconnecting",
            "loop",
            "while", // retries
            "tracing",
            "log",
            "println",
            "eprintln", // logs
            "metrics",
            "counter",
            "gauge",
            "histogram", // counts
            "spawn",
        ],
    );
}

#[test]
fn only_the_config_module_reads_the_environment() {
    // Where the system keeps programs and temporary files is no setting of the product.
    let system = [
        "crates/local-postgres/src/programs.rs",
        "crates/local-postgres/src/temp_directory.rs",
    ];
    let mut readers = files_with(&["env::", "std::env;"]);
    readers.retain(|path| !path.starts_with("src/config/"));
    assert_eq!(readers, system);

    // `demo` has a subset of the service's settings, and declares it as the service does.
    assert_eq!(
        files_with(&["env = \"", ", env,", "env)]"]),
        ["src/cli/demo/mod.rs", "src/config/mod.rs"]
    );
}

#[test]
fn every_task_is_joined() {
    // Two sets: the tasks of the service, and the connections of its HTTP server.
    assert_eq!(
        files_with(&["JoinSet", "TaskTracker", "JoinHandle"]),
        ["src/http/server.rs", "src/supervisor.rs"]
    );
    // Which tasks there are is decided in one place; the connections of the HTTP server are not the service's own.
    let mut starters = files_with(&[".spawn("]);
    starters.retain(|path| !path.starts_with("crates/local-postgres/")); // it starts processes
    assert_eq!(
        starters,
        ["src/app.rs", "src/http/server.rs", "src/supervisor.rs"]
    );
    // The task that drives a session ends with its client.
    assert_eq!(
        files_with(&[
            "tokio::spawn",
            "task::spawn(",
            "spawn_local",
            "thread::spawn",
            "thread::Builder",
            "thread::scope",
        ]),
        ["crates/pg-connection/src/session.rs"]
    );
    // Starting and stopping the demo's server blocks; `demo` awaits both.
    assert_eq!(files_with(&["spawn_blocking"]), ["src/cli/demo/mod.rs"]);
}

#[test]
fn only_the_retry_module_uses_the_crate_backoff() {
    assert_eq!(
        files_with(&["backoff::", "ExponentialBackoff"]),
        ["src/retry.rs"]
    );
}

#[test]
fn no_statement_is_prepared_by_name() {
    // `query_typed` and its like send unnamed ones.
    let found = files_with(&[
        ".prepare(",
        ".prepare_typed(",
        ".query(",
        ".query_one(",
        ".query_opt(",
        ".query_raw(",
        ".query_scalar(",
        ".execute(",
        ".execute_raw(",
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn only_the_metrics_module_names_a_metric_and_its_names_are_the_contracts() {
    let metrics = code_of("metrics");
    let names: BTreeSet<&str> = words(&metrics)
        .into_iter()
        .filter(|word| word.starts_with("lead_mover_"))
        .collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "lead_mover_leads_moved_total",
            "lead_mover_leads_rejected_total",
            "lead_mover_batches_total",
            "lead_mover_batch_duration_seconds",
            "lead_mover_pickup_seconds",
            "lead_mover_queue_depth",
            "lead_mover_queue_oldest_message_age_seconds",
            "lead_mover_leads_remaining",
            "lead_mover_migrations",
            "lead_mover_migrations_stalled",
            "lead_mover_wakeups_total",
            "lead_mover_listener_connected",
            "lead_mover_reconnects_total",
            "lead_mover_errors_total",
            "lead_mover_build_info",
        ])
    );
    for file in code().iter().filter(|file| file.path != "src/metrics.rs") {
        let units = ["_total", "_seconds", "_bytes", "_ratio"];
        let elsewhere = words(&file.text).into_iter().find(|word| {
            names.contains(word)
                || word.starts_with("lead_mover_") && units.iter().any(|unit| word.ends_with(unit))
        });
        assert_eq!(elsewhere, None, "{}", file.path);
    }
    assert_eq!(
        files_with(&["counter!(", "gauge!(", "histogram!("]),
        ["src/metrics.rs"]
    );
}

#[test]
fn only_the_report_module_counts_errors() {
    assert_eq!(files_with(&["metrics::error("]), ["src/report.rs"]);
}
