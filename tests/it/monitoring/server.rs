//! A Prometheus of a test.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::{Interval, interval};

use super::path;
use crate::support::{Service, eventually, get};

/// With it a service that waits a second for its database still answers in time.
const INTERVAL: &str = "2s";

/// Whether alerts fire only after the `for` of their rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertDelay {
    AsWritten,
    /// The rules' own tests are about time; here an alert fires as soon as it is true.
    None,
}

/// Runs until it is dropped.
pub(super) struct Prometheus {
    process: Child,
    address: String,
    /// It has a new sample only every second or so. Asking more often would slow it down, and the other tests.
    pace: Mutex<Interval>,
    _directory: TempDir,
}

impl Prometheus {
    /// With the configuration and the rules that come with the product, except for the addresses of the services and the
    /// intervals.
    pub(super) async fn watching(services: &[&Service], delay: AlertDelay) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let targets: Vec<&str> = services.iter().map(|service| service.address()).collect();
        write_files(&directory, &targets, delay);
        let log = directory.path().join("log");
        let process = Command::new("prometheus")
            .arg(format!(
                "--config.file={}",
                directory.path().join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("it can be written"))
            .spawn()
            .unwrap_or_else(|error| match error.kind() {
                ErrorKind::NotFound => {
                    panic!("Prometheus is not installed: run scripts/setup tests")
                }
                _ => panic!("Prometheus does not run: {error}"),
            });
        // Ends it also where it never gets as far as serving.
        let mut prometheus = Self {
            process,
            address: String::new(),
            pace: Mutex::new(interval(Duration::from_millis(50))),
            _directory: directory,
        };
        let read = || fs::read_to_string(&log).expect("its log");
        eventually("Prometheus serves HTTP", async || {
            let log = read();
            assert!(!log.to_lowercase().contains("level=error"), "{log}");
            match address_in(&log) {
                Some(address) => get(address, "/-/ready").await.0 == 200,
                None => false,
            }
        })
        .await;
        prometheus.address = address_in(&read()).expect("it was there").to_owned();
        // Twice: a counter that goes up before its 0 has been seen has not gone up at all.
        eventually("every service has been read twice", async || {
            let seen = prometheus.ask("count_over_time(up[1h]) >= 2").await;
            seen.len() == services.len()
        })
        .await;
        prometheus
    }

    /// The samples that an expression has now.
    pub(super) async fn ask(&self, expression: &str) -> Vec<Sample> {
        let expression = utf8_percent_encode(expression, NON_ALPHANUMERIC).to_string();
        let data = self.data(&format!("query?query={expression}")).await;
        let result = data["result"].as_array().expect("samples").iter();
        result.map(Sample::of).collect()
    }

    /// All rules of the kind `alert` or `record`.
    pub(super) async fn rules(&self, kind: &str) -> Vec<Value> {
        let data = self.data(&format!("rules?type={kind}")).await;
        let groups = data["groups"].as_array().expect("groups").iter();
        groups
            .flat_map(|group| group["rules"].as_array().expect("rules").clone())
            .collect()
    }

    /// The alerts that are true now, whether they fire or are still waited for.
    pub(super) async fn alerts(&self) -> Vec<Value> {
        let data = self.data("alerts").await;
        data["alerts"].as_array().expect("alerts").clone()
    }

    async fn data(&self, question: &str) -> Value {
        self.pace.lock().await.tick().await;
        let (status, body) = get(&self.address, &format!("/api/v1/{question}")).await;
        assert_eq!(status, 200, "{question}: {body}");
        let mut answer: Value = serde_json::from_str(&body).expect("it is JSON");
        answer["data"].take()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// One series, and its value now.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) labels: Value,
    pub(super) value: f64,
}

impl Sample {
    fn of(json: &Value) -> Self {
        let value = json["value"][1].as_str().expect("a number as text");
        Self {
            labels: json["metric"].clone(),
            value: value.parse().expect("a number"),
        }
    }
}

fn write_files(directory: &TempDir, targets: &[&str], delay: AlertDelay) {
    let configuration = fs::read_to_string(path("prometheus/prometheus.yml")).expect("it is there");
    let services = format!("{targets:?}");
    for (as_it_comes, times) in [("[\"lead-mover:8080\"]", 1), ("_interval: 15s\n", 2)] {
        assert_eq!(configuration.matches(as_it_comes).count(), times);
    }
    let configuration = configuration
        .replace("[\"lead-mover:8080\"]", &services)
        .replace("_interval: 15s\n", &format!("_interval: {INTERVAL}\n"));
    fs::write(directory.path().join("prometheus.yml"), configuration).expect("it is written");

    let rules = directory.path().join("rules");
    fs::create_dir(&rules).expect("a directory");
    for entry in fs::read_dir(path("prometheus/rules")).expect("a directory") {
        let entry = entry.expect("an entry");
        let mut text = fs::read_to_string(entry.path()).expect("UTF-8");
        if delay == AlertDelay::None {
            let without_delay = text.lines().filter(|line| !is_delay(line));
            text = without_delay.flat_map(|line| [line, "\n"]).collect();
        }
        fs::write(rules.join(entry.file_name()), text).expect("it is written");
    }
}

/// `for: 2m`
fn is_delay(line: &str) -> bool {
    line.trim_start().starts_with("for: ")
}

/// The address at which it listens, from its log.
fn address_in(log: &str) -> Option<&str> {
    let line = log
        .lines()
        .find(|line| line.contains("msg=\"Listening on\""))?;
    let (_, address) = line.split_once(" address=")?;
    address.split_whitespace().next()
}
