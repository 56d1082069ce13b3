//! A command that has ended, and what it said.

use tokio::process::Command;

/// How it ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command to its end.
pub(crate) async fn finish(command: &mut Command) -> Finished {
    let output = command.output().await.expect("it runs");
    Finished {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}
