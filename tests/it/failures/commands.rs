//! Commands that fail: one line, an exit status, and never a password.

use uuid::Uuid;

use crate::support::{Database, Finished, Target, command, finish, is_local};

const PASSWORD: &str = "geheim123";
const RUN: &str = "a0000000-0000-4000-8000-000000000001";

/// One of each kind of command that needs a database and does not wait for it.
const COMMANDS: [&[&str]; 8] = [
    &["migrate"],
    &["enqueue", RUN, RUN, RUN],
    &["status"],
    &["status", "--watch"],
    &["cancel", RUN],
    &["pause", RUN],
    &["resume", RUN],
    &["retry", RUN, "--json"],
];

async fn run_on(database_url: &str, arguments: &[&str]) -> Finished {
    finish(
        command(arguments)
            .env("DATABASE_URL", database_url)
            .env("RUST_BACKTRACE", "1"),
    )
    .await
}

/// Exit status and the one line, with no backtrace and no password.
fn assert_one_line(finished: &Finished, status: i32) {
    assert_eq!(finished.status, Some(status), "{finished:?}");
    assert_eq!(finished.stdout, "");
    let (error, rest) = finished.stderr.split_once('\n').expect("a line");
    assert!(error.starts_with("error: "), "{finished:?}");
    assert!(
        rest.is_empty() || rest.starts_with("hint: "),
        "{finished:?}"
    );
    assert!(rest.lines().count() <= 1, "{finished:?}");
    assert!(!finished.stderr.contains(PASSWORD), "{finished:?}");
}

#[tokio::test]
async fn without_a_database_url_a_command_is_a_usage_error() {
    for arguments in COMMANDS.iter().chain([&["serve"][..]].iter()) {
        let finished = finish(command(arguments).env("RUST_BACKTRACE", "1")).await;

        assert_one_line(&finished, 2);
        assert!(finished.stderr.contains("set DATABASE_URL"), "{finished:?}");
    }
}

#[tokio::test]
async fn a_database_url_that_cannot_be_used_is_a_usage_error() {
    for (url, why) in [
        (
            "https://u:geheim123@project.supabase.co",
            "this is a web address",
        ),
        ("postgres://u:geheim123@h/db?sslmode=sometimes", "sslmode"),
        (
            "postgres://u:geheim123@h:port/db",
            "the port is not a number",
        ),
        ("postgres://u:geheim123@@h/db", "percent-encoded"),
        ("host=h password='geheim123", "no closing quote"),
        ("geheim123", "neither a postgres:// URL nor"),
        (" ", "is empty"),
    ] {
        for arguments in [&["status"][..], &["migrate"], &["serve"]] {
            let finished = run_on(url, arguments).await;

            assert_one_line(&finished, 2);
            assert!(finished.stderr.contains("DATABASE_URL"), "{finished:?}");
            assert!(finished.stderr.contains(why), "{url}: {finished:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_one_line() {
    for arguments in COMMANDS {
        let finished = run_on("postgres://u:geheim123@127.0.0.1:1/db", arguments).await;

        assert_one_line(&finished, 1);
        assert!(
            finished
                .stderr
                .contains("cannot connect to 127.0.0.1:1/db as u"),
            "{finished:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_database_and_a_missing_schema_are_one_line() {
    if !is_local() {
        return; // Another server has a password, which cannot be replaced.
    }
    let database = Database::empty().await;
    let url = format!("{} password={PASSWORD}", database.connection_string());
    for arguments in COMMANDS {
        let finished = run_on(&format!("{url} dbname=not_there"), arguments).await;
        assert_one_line(&finished, 1);
        assert!(finished.stderr.contains("(3D000)"), "{finished:?}");

        if arguments == ["migrate"] {
            continue; // What `doctor` prints without tables has its own tests.
        }
        let finished = run_on(&url, arguments).await;
        assert_one_line(&finished, 1);
        assert!(
            finished.stderr.contains("Run `lead-mover migrate`"),
            "{finished:?}"
        );
    }

    let installed = run_on(&url, &["migrate", "--example-schema"]).await;
    assert_eq!(installed.status, Some(0), "{installed:?}");
    assert!(!installed.stdout.contains(PASSWORD), "{installed:?}");
}

#[tokio::test]
async fn an_sql_error_is_shown_with_its_code_and_hint() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(10).await;
    let elsewhere = crm.another_target().await;
    let mixed = Target {
        funnel: elsewhere.funnel,
        ..crm.target
    };
    crm.enqueue(run_id).await;
    for (code, run_id, target, batch_size) in [
        ("LM001", Uuid::new_v4(), crm.target, "100"),
        ("LM002", run_id, mixed, "100"),
        ("LM003", run_id, crm.target, "10001"),
        ("LM004", run_id, elsewhere, "100"),
    ] {
        let ids = [run_id, target.funnel, target.column].map(|id| id.to_string());
        let mut arguments = vec!["enqueue", "--batch-size", batch_size];
        arguments.extend(ids.iter().map(String::as_str));

        let finished = run_on(&database.connection_string(), &arguments).await;

        assert_one_line(&finished, 1);
        let error = crm
            .try_enqueue(run_id, target, batch_size.parse().ok())
            .await
            .expect_err(code);
        assert_eq!(
            finished.stderr,
            format!(
                "error: cannot queue the move: {} ({code})\nhint: {}\n",
                error.message(),
                error.hint().expect("a hint")
            )
        );
    }
}

#[tokio::test]
async fn wrong_arguments_are_a_usage_error() {
    for arguments in [
        &["enqueue", RUN, RUN][..],
        &["enqueue", RUN, RUN, RUN, "--batch-size", "many"],
        &["enqueue", RUN, RUN, RUN, "--batch-size", "99999999999"],
        &["cancel"],
        &["cancel", RUN, RUN],
        &["serve", "--workers", "0"],
        &["serve", "--poll-interval", "0s"],
        &["serve", "--poll-interval", "often"],
        &["serve", "--http-addr", "everywhere"],
        &["status", "--log", "lead_mover=very loud"],
        &["migrate", "--force"],
        &["vanish"],
        &[],
    ] {
        let finished = run_on("postgres://u:geheim123@127.0.0.1:1/db", arguments).await;

        assert_eq!(finished.status, Some(2), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty(), "{arguments:?}");
        assert!(!finished.stderr.contains(PASSWORD), "{finished:?}");
    }
}

#[tokio::test]
async fn help_lists_every_command_and_shows_no_setting_of_the_environment() {
    let commands = [
        "serve", "migrate", "demo", "enqueue", "status", "cancel", "pause", "resume", "retry",
    ];
    let help = async |arguments: &[&str]| {
        let finished = finish(
            command(arguments)
                .env("DATABASE_URL", "postgres://u:geheim123@h/db")
                .env("DATABASE_LISTEN_URL", "postgres://u:geheim123@h/db"),
        )
        .await;
        assert_eq!(finished.status, Some(0), "{finished:?}");
        assert!(finished.stdout.contains("DATABASE_URL"), "{finished:?}");
        assert!(!finished.stdout.contains(PASSWORD), "{finished:?}");
        finished.stdout
    };

    let whole = help(&["--help"]).await;
    for name in commands {
        assert!(
            whole
                .lines()
                .any(|line| line.trim_start().starts_with(&format!("{name} "))),
            "{name} is not in:\n{whole}"
        );
        help(&[name, "--help"]).await;
        help(&[name, "-h"]).await;
    }
}

/// The script is longer than what a pipe holds, so the command is still writing when the reader has gone.
#[tokio::test]
async fn a_reader_that_closes_the_pipe_is_no_failure() {
    let mut printing = command(&["migrate", "--print"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");

    drop(printing.stdout.take());
    let finished = printing.wait_with_output().await.expect("it ends");

    assert_eq!(finished.status.code(), Some(0));
    assert_eq!(String::from_utf8(finished.stderr).expect("text"), "");
}
