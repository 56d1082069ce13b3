//! The service, as a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::{Instant, timeout};

/// The service is ready long before.
const READY_TIMEOUT: Duration = Duration::from_secs(30);

/// A service that runs until it is dropped.
pub(crate) struct Service {
    process: Child,
    started: Instant,
    /// The socket on which the service notifies systemd that it is ready.
    notifications: UnixDatagram,
    _directory: TempDir,
}

impl Service {
    /// Starts it with these arguments, and with a free HTTP port.
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

    /// Waits until it is ready. Returns the time since its start.
    pub(crate) async fn ready(&self) -> Duration {
        let mut message = [0; 256];
        loop {
            let length = timeout(READY_TIMEOUT, self.notifications.recv(&mut message))
                .await
                .expect("it becomes ready")
                .expect("a message");
            if message[..length].starts_with(b"READY=1") {
                return self.started.elapsed();
            }
        }
    }

    /// Its resident memory, in MiB.
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
