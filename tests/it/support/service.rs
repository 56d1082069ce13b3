//! The real binary, run as its users run it.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::{Database, STATE_TIMEOUT, eventually};

/// The binary with those arguments, with nothing of the tester's environment that it would read.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lead-mover"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for variable in ["DATABASE_URL", "DATABASE_LISTEN_URL", "RUST_LOG"] {
        command.env_remove(variable);
    }
    for setting in [
        "WORKERS",
        "POLL_INTERVAL",
        "HTTP_ADDR",
        "API_TOKEN",
        "SHUTDOWN_GRACE",
        "LOG_FORMAT",
    ] {
        command.env_remove(format!("LEAD_MOVER_{setting}"));
    }
    command
}

/// What the service waits for often is shorter than in production, so that tests need not wait. Time-outs are
/// not: on a busy machine short ones would strike where nothing is wrong.
const TIMINGS: &str = "heartbeat=300ms,degraded_poll=200ms,sample=200ms,reconnect=300ms";

/// `lead-mover serve`, running; killed when dropped.
pub(crate) struct Service {
    process: Child,
    log: watch::Receiver<Vec<Value>>,
    address: String,
}

impl Service {
    /// Started and ready.
    pub(crate) async fn start(database: &Database, arguments: &[&str]) -> Self {
        let service = Self::start_unready(&database.connection_string(), arguments).await;
        service.ready().await;
        service
    }

    /// Started, and serving HTTP.
    pub(crate) async fn start_unready(database_url: &str, arguments: &[&str]) -> Self {
        Self::start_with(database_url, arguments, &[]).await
    }

    /// The same, with something in its environment.
    pub(crate) async fn start_with(
        database_url: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let timings: &[&str] = if arguments.contains(&"--timings") {
            &[]
        } else {
            &["--timings", TIMINGS]
        };
        let mut process = command(&[
            "serve",
            "--http-addr",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ])
        .args(timings)
        .args(arguments)
        .env("DATABASE_URL", database_url)
        .envs(environment.iter().copied())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
        let stderr = process.stderr.take().expect("it was asked for");
        let (sender, mut log) = watch::channel(Vec::new());
        #[expect(
            clippy::disallowed_methods,
            reason = "ends with the process whose log it reads"
        )]
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                sender.send_modify(|lines| lines.push(line));
            }
        });
        let address = log
            .wait_for(|lines| lines.iter().any(|line| line["http"].is_string()))
            .await
            .expect("it says where it serves HTTP")
            .iter()
            .find_map(|line| line["http"].as_str().map(ToOwned::to_owned))
            .expect("it was found");
        Self {
            process,
            log,
            address,
        }
    }

    pub(crate) async fn ready(&self) {
        eventually("the service is ready", async || {
            self.readyz().await.0 == 200
        })
        .await;
    }

    /// The status and body of `/readyz`.
    pub(crate) async fn readyz(&self) -> (u16, Value) {
        let (status, body) = get(&self.address, "/readyz").await;
        (status, serde_json::from_str(&body).expect("it is JSON"))
    }

    /// The text of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        get(&self.address, "/metrics").await.1
    }

    /// The value of one series.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let metrics = self.metrics().await;
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
            .unwrap_or_else(|| panic!("no {series} in:\n{metrics}"))
            .parse()
            .expect("a number")
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.borrow().clone()
    }

    /// How many log lines have this message.
    pub(crate) fn count_logged(&self, message: &str) -> usize {
        self.log()
            .iter()
            .filter(|line| line["message"] == message)
            .count()
    }

    /// Waits for a log line with this message, which has to be the only one so far: what it tells of may be
    /// seen before it is written.
    pub(crate) async fn logged_once(&self, message: &str) {
        eventually(&format!("it logs: {message}"), async || {
            self.count_logged(message) > 0
        })
        .await;
        assert_eq!(self.count_logged(message), 1, "{message}");
    }

    /// By SIGTERM; it begins no new batch from now on.
    pub(crate) async fn ask_to_stop(&self) {
        self.signal(Signal::SIGTERM);
        eventually("it drains", async || {
            self.count_logged("stopping: no new batch") == 1
        })
        .await;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.process.id().expect("it runs").cast_signed();
        kill(Pid::from_raw(pid), signal).expect("it can be signalled");
    }

    /// SIGTERM, and the exit status.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.exit().await
    }

    /// The exit status, when it ends by itself.
    pub(crate) async fn exit(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(STATE_TIMEOUT, self.process.wait()).await;
        ended
            .expect("it ends in time")
            .expect("it can be waited for")
            .code()
    }
}

/// Status and body of a page.
pub(crate) async fn get(address: &str, path: &str) -> (u16, String) {
    let request = ureq::http::Request::get(format!("http://{address}{path}"))
        .body(String::new())
        .expect("a request");
    let response = send(request).await;
    (response.status().as_u16(), response.into_body())
}

/// The answer to a request, whatever its status.
pub(crate) async fn send(request: ureq::http::Request<String>) -> ureq::http::Response<String> {
    tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let (head, mut body) = agent.run(request).expect("it answers").into_parts();
        let body = body.read_to_string().expect("text");
        ureq::http::Response::from_parts(head, body)
    })
    .await
    .expect("the request ends")
}
