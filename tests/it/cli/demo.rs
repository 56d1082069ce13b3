//! `lead-mover demo`: it moves all leads, and leaves nothing behind however it ends.

use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{command, eventually, finish};

/// A directory for temporary files that only this demo uses.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir_in("/tmp").expect("a directory");
        // Where the tests run as root the server runs as another user.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777))
            .expect("its permissions can be set");
        Self(directory)
    }

    fn demo(&self) -> Command {
        let mut command = command(&["demo"]);
        command.env("TMPDIR", self.0.path());
        command
    }

    fn directories(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("it is there");
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect()
    }

    /// The command lines of the processes that have a directory in here as an argument.
    async fn processes(&self) -> Vec<String> {
        let listed = finish(Command::new("ps").args(["-A", "-ww", "-o", "args="])).await;
        assert_eq!(listed.status, Some(0), "{listed:?}");
        let directory = format!("{}/lead-mover-", self.0.path().display());
        listed
            .stdout
            .lines()
            .filter(|line| line.contains(&directory))
            .map(ToOwned::to_owned)
            .collect()
    }

    async fn is_clear(&self) -> bool {
        self.directories().is_empty() && self.processes().await.is_empty()
    }
}

/// A demo whose moves have ended, and that waits to be interrupted.
async fn up(place: &Place) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut demo = place
        .demo()
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(demo.stdout.take().expect("it is piped")).lines();
    loop {
        let line = lines.next_line().await.expect("text").expect("a line more");
        if line.starts_with("  curl http://") {
            break;
        }
    }
    // Otherwise it could not be seen that they are gone.
    let directories = place.directories();
    assert_eq!(directories.len(), 1, "{directories:?}");
    assert!(directories[0].starts_with("lead-mover-"));
    let socket = place.0.path().join(&directories[0]).join("socket");
    let processes = place.processes().await;
    assert!(
        processes
            .iter()
            .any(|line| line.contains(path_text(&socket))),
        "{processes:?}"
    );
    (demo, lines)
}

fn path_text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn signal(demo: &Child, signal: Signal) {
    let pid = demo.id().expect("it runs").cast_signed();
    kill(Pid::from_raw(pid), signal).expect("it can be signalled");
}

#[tokio::test]
async fn the_demo_moves_992_leads_in_10_batches_and_leaves_nothing() {
    let place = Place::new();

    let ended = finish(place.demo().arg("--exit")).await;

    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    for part in [
        "Restaurantes - 10/12/2025 09:07: 478 leads in 5 batches; ",
        "Padarias - 10/12/2025 09:31: 514 leads in 5 batches; ",
        "Together: 992 leads in 10 batches, ",
        "\n992 of 992 leads are at their target.\n",
    ] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
    assert_eq!(place.directories(), Vec::<String>::new());
    assert_eq!(place.processes().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupt_ends_it_with_status_0_and_leaves_nothing() {
    let place = Place::new();
    let (mut demo, mut lines) = up(&place).await;

    signal(&demo, Signal::SIGINT);

    assert_eq!(demo.wait().await.expect("it ends").code(), Some(0));
    assert_eq!(lines.next_line().await.expect("text"), None);
    assert_eq!(place.directories(), Vec::<String>::new());
    assert_eq!(place.processes().await, Vec::<String>::new());
}

#[tokio::test]
async fn when_the_demo_is_killed_its_server_and_directory_are_removed() {
    let place = Place::new();
    let (mut demo, _lines) = up(&place).await;

    signal(&demo, Signal::SIGKILL);

    assert_eq!(demo.wait().await.expect("it ends").code(), None);
    eventually("server and directory are gone", async || {
        place.is_clear().await
    })
    .await;
}

#[tokio::test]
async fn when_nothing_reads_its_output_the_demo_ends_and_leaves_nothing() {
    let place = Place::new();
    let mut demo = place
        .demo()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(demo.stdout.take().expect("it is piped")).lines();
    lines.next_line().await.expect("text").expect("a line");

    drop(lines);

    let ended = demo.wait_with_output().await.expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    eventually("server and directory are gone", async || {
        place.is_clear().await
    })
    .await;
}
