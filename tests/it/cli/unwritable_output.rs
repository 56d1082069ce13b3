//! Commands whose output cannot be written: none of them panics.

use std::fs::File;
use std::process::Stdio;

use tokio::process::Command;

use crate::support::{Database, Finished, command, finish};

/// A pipe that nothing reads, as after `| head -1` has read its line.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    let full = File::options().write(true).open("/dev/full");
    full.expect("Linux has it").into()
}

async fn status_of(command: &mut Command) -> Option<i32> {
    command.status().await.expect("it runs").code()
}

/// With a standard output that cannot be written.
async fn finish_without_stdout(command: &mut Command, stdout: Stdio) -> Finished {
    let process = command
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let output = process.wait_with_output().await.expect("it ends");
    Finished {
        status: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

#[tokio::test]
async fn a_command_ends_without_an_error_when_nothing_reads_its_output() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    crm.enqueue(run).await;
    let id = run.to_string();
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["status", "--watch"],
        &["doctor"],
        &["migrate"],
        &["migrate", "--print"],
        &["completions", "bash"],
        &["pause", &id],
        &["--help"],
        &["--version"],
    ] {
        let url = database.connection_string();
        let finished =
            finish_without_stdout(command(arguments).env("DATABASE_URL", url), closed_pipe()).await;

        assert_eq!(finished.status, Some(0), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stderr, "", "{arguments:?}");
    }
    assert_eq!(crm.status(run).await, "paused", "it was done all the same");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_result_that_a_full_disk_does_not_take_is_an_error() {
    let finished = finish_without_stdout(&mut command(&["completions", "bash"]), full_disk()).await;
    assert_eq!(finished.status, Some(1));
    let error = "error: cannot write to standard output: ";
    assert!(finished.stderr.starts_with(error), "{finished:?}");

    let mut both = command(&["completions", "bash"]);
    both.stdout(full_disk()).stderr(full_disk());
    assert_eq!(status_of(&mut both).await, Some(1));
}

#[tokio::test]
async fn an_error_that_cannot_be_printed_keeps_its_exit_status() {
    let database = Database::new().await;
    let nowhere = "postgresql://u@127.0.0.1:1/x?connect_timeout=5";
    let here = database.connection_string();
    let id = uuid::Uuid::nil().to_string();
    for (arguments, url, status) in [
        (&["status"][..], None, 2),
        (&["no-such-command"], None, 2),
        (&["status", "--log", "=,="], Some(here.as_str()), 2),
        (&["status"], Some(nowhere), 1),
        // It has a hint, which is a second line.
        (&["enqueue", &id, &id, &id], Some(here.as_str()), 1),
    ] {
        let mut printed = command(arguments);
        printed.envs(url.map(|url| ("DATABASE_URL", url)));
        let printed = finish(&mut printed).await;
        assert_eq!(printed.status, Some(status), "{arguments:?}: {printed:?}");
        assert_ne!(printed.stderr, "", "{arguments:?}");
        let outputs = [
            Some(closed_pipe()),
            cfg!(target_os = "linux").then(full_disk),
        ];
        for stderr in outputs.into_iter().flatten() {
            let mut unprinted = command(arguments);
            unprinted.envs(url.map(|url| ("DATABASE_URL", url)));
            unprinted.stderr(stderr);

            assert_eq!(
                status_of(&mut unprinted).await,
                Some(status),
                "{arguments:?}"
            );
        }
    }
}
