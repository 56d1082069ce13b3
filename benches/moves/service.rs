//! The real service, as its users run it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::{Instant, timeout};

/// Longer than any service takes to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs until it is dropped.
pub(crate) struct Service {
    process: Child,
    started: Instant,
    /// As systemd has one, to be told when the service is ready.
    notifications: UnixDatagram,
    _directory: TempDir,
}

impl Service {
    /// Started, with these arguments beside those that keep it out of others' way.
    pub(crate) fn start(connection_string: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("notify");
        let notifications = UnixDatagram::bind(&socket).expect("a socket");
        let started = Instant::now();
        let process = Command::new(env!("CARGO_BIN_EXE_lead-mover"))
            .args(["serve", "--http-addr", "127.0.0.1:0"])
            .args(arguments)
            .env("DATABASE_URL", connection_string)
            .env("RUST_LOG", "error")
            .env("NOTIFY_SOCKET", &socket)
            .stdin(Stdio::null())
            .spawn()
            .expect("the service starts");
        Self {
            process,
            started,
            notifications,
            _directory: directory,
        }
    }

    /// Waits until it is ready. Answers with how long that took from its start.
    pub(crate) async fn ready(&self) -> Duration {
        let mut said = [0; 256];
        loop {
            let length = timeout(PATIENCE, self.notifications.recv(&mut said))
                .await
                .expect("it becomes ready")
                .expect("it says so");
            if said[..length].starts_with(b"READY=1") {
                return self.started.elapsed();
            }
        }
    }

    /// Resident memory.
    pub(crate) fn memory_mib(&self) -> f64 {
        let listed = Command::new("ps")
            .args(["-o", "rss=", "-p", &self.process.id().to_string()])
            .output()
            .expect("ps runs");
        let kib: f64 = String::from_utf8_lossy(&listed.stdout)
            .trim()
            .parse()
            .expect("a number");
        kib / 1024.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
