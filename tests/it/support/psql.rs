//! `psql`, which runs scripts as users run them.

use std::process::Stdio;

use local_postgres::Programs;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::server::is_local;
use super::{Database, Finished, command, finish};

impl Database {
    /// The script, on the standard input of `psql`, which stops at the first error.
    pub(crate) async fn psql(&self, script: &str) -> Finished {
        self.psql_with(&[], script).await
    }

    /// The same, with arguments before.
    pub(crate) async fn psql_with(&self, arguments: &[&str], script: &str) -> Finished {
        let program = if is_local() {
            let programs = Programs::find().expect("they have started the server");
            programs.directory().join("psql")
        } else {
            "psql".into()
        };
        let mut process = Command::new(program)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"])
            .args(arguments)
            .args(["-f", "-", &self.connection_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the tests need psql, beside the server's programs");
        let mut input = process.stdin.take().expect("it was asked for");
        let text = script.to_owned();
        let writing = async move {
            // One that has stopped reads no further.
            let _ = input.write_all(text.as_bytes()).await;
        };
        let (output, ()) = tokio::join!(process.wait_with_output(), writing);
        let output = output.expect("it runs");
        Finished {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// What `lead-mover migrate --print` prints, by `psql`.
    pub(crate) async fn run_print(&self) {
        let finished = self.psql(&printed(&[]).await).await;
        assert_eq!(finished.status, Some(0), "{finished:?}");
        assert_eq!(
            (finished.stdout.as_str(), finished.stderr.as_str()),
            ("", "")
        );
    }
}

/// What `lead-mover migrate --print` prints, with more arguments.
pub(crate) async fn printed(arguments: &[&str]) -> String {
    let printed = finish(command(&["migrate", "--print"]).args(arguments)).await;
    assert_eq!(printed.status, Some(0), "{printed:?}");
    assert_eq!(printed.stderr, "");
    printed.stdout
}
