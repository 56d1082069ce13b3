//! The absences that ARCHITECTURE.md lists, looked for in the text of the sources.

use std::collections::BTreeSet;

use crate::support::{code, code_of, files_below, files_with, words};

fn assert_knows_none_of(module: &str, unknown: &[&str]) {
    let code = code_of(module);
    let words = words(&code);
    for word in unknown {
        assert!(!words.contains(word), "{module} has the word {word}");
    }
}

#[test]
fn the_worker_knows_neither_the_listener_nor_sql_text_nor_the_environment() {
    assert_knows_none_of("worker", &["listener", "Listener", "env", "tokio_postgres"]);

    let code = code_of("worker").to_lowercase();
    for statement in [
        "select ",
        "update ",
        "insert ",
        "delete ",
        "notify ",
        "lead_mover.",
    ] {
        assert!(!code.contains(statement), "the worker has {statement:?}");
    }
}

#[test]
fn the_listener_knows_nothing_of_leads() {
    assert_knows_none_of(
        "listener",
        &[
            "queue", "Queue", "Batch", "leads", "run_id", "worker", "Worker",
        ],
    );
}

#[test]
fn the_queue_never_sleeps_retries_logs_or_counts() {
    assert_knows_none_of(
        "queue",
        &[
            "sleep",
            "sleep_until",
            "timeout",
            "interval",
            "Instant", // sleeps
            "Backoff",
            "loop", // retries
            "tracing",
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
fn only_the_settings_come_from_the_environment() {
    // Where the system keeps programs and temporary files is no setting of ours.
    let of_the_system = [
        "src/local_postgres/programs.rs",
        "src/local_postgres/temp_directory.rs",
    ];
    let mut readers = files_with(&["env::"]);
    readers.retain(|path| path != "src/config.rs");
    assert_eq!(readers, of_the_system);

    // As declarations of the command line.
    let declarers = files_with(&["env = \""]);
    assert!(declarers.contains(&"src/config.rs".to_owned()));
    for path in declarers {
        assert!(
            path == "src/config.rs" || path.starts_with("src/cli/"),
            "{path} declares a variable of the environment"
        );
    }
}

#[test]
fn no_task_is_started_that_nobody_joins() {
    let spawns = [
        "tokio::spawn",
        "task::spawn(",
        "spawn_local",
        "thread::spawn",
    ];
    assert_eq!(files_with(&spawns), ["src/db/session.rs"]);
}

#[test]
fn only_retry_knows_the_crate_backoff() {
    assert_eq!(files_with(&["backoff::"]), ["src/retry.rs"]);
}

#[test]
fn no_statement_is_prepared_by_name() {
    // `query_typed` and its like send unnamed ones; sqlx, which installs PGMQ, has methods of its own.
    let mut found = files_with(&[
        ".prepare(",
        ".query(",
        ".query_one(",
        ".query_opt(",
        ".execute(",
    ]);
    found.retain(|path| path != "src/migrate/embedded_pgmq.rs");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn only_metrics_names_a_metric_and_its_names_are_the_contracts() {
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
}

#[test]
fn each_sql_function_is_closed_described_and_looks_nothing_up_by_chance() {
    let files = files_below("migrations/functions", "sql");
    assert!(files.len() > 20, "the functions are not where they were");
    for file in files {
        let (directory, name) = file.path.rsplit_once('/').expect("a directory");
        let schema = match directory {
            "migrations/functions/public" => "public",
            "migrations/functions/internal" => "lead_mover",
            other => panic!("no functions belong in {other}"),
        };
        let function = format!("{schema}.{}(", name.trim_end_matches(".sql"));
        // The two that write leads run the lead table's triggers, which look for tables there.
        let path = match name {
            "move_leads.sql" | "move_range.sql" => "pg_catalog, public, extensions, pg_temp",
            _ => "pg_catalog, pg_temp",
        };
        for (what, times) in [
            ("create or replace function ".to_owned(), 1),
            (format!("\ncreate or replace function {function}"), 1),
            (format!("\nset search_path = {path}\n"), 1),
            (format!("\nselect lead_mover.make_private('{function}"), 1),
            (format!("\ncomment on function {function}"), 1),
        ] {
            let text = format!("\n{}", file.text);
            assert_eq!(
                text.matches(&what).count(),
                times,
                "{what:?} in {}",
                file.path
            );
        }
        let volatilities = file
            .text
            .lines()
            .filter(|line| ["volatile", "stable", "immutable"].contains(line))
            .count();
        assert_eq!(volatilities, 1, "the volatility in {}", file.path);
    }
}

#[test]
fn no_source_file_is_too_long_to_be_read_at_once() {
    let longest = 260;
    let mut files = files_below("src", "rs");
    files.extend(files_below("migrations", "sql"));
    files.retain(|file| file.path != "migrations/schema.sql"); // generated
    let too_long: Vec<String> = files
        .into_iter()
        .filter(|file| file.text.lines().count() > longest)
        .map(|file| file.path)
        .collect();
    assert_eq!(too_long, Vec::<String>::new());
}

#[test]
fn each_dependency_says_what_it_is_for() {
    let manifest = include_str!("../../Cargo.toml");
    let (mut section, mut before) = ("", "");
    let mut dependencies = 0;
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && line.contains(" = ")
            && !line.starts_with('#')
        {
            assert!(
                before.starts_with("# ") && !before.starts_with("# ---"),
                "no reason stands above: {line}"
            );
            dependencies += 1;
        }
        before = line;
    }
    assert!(
        dependencies > 20,
        "the dependencies are not where they were"
    );
}
