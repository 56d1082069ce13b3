//! `lead-mover doctor`: what was found, a line a check.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::print_line;
use crate::config::ConnectionArgs;
use crate::doctor::{self, Check, DoctorSettings, Status};
use pg_connection::ConnectionSettings;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    connections: ConnectionArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl DoctorArgs {
    pub(super) async fn run(&self, database: ConnectionSettings) -> anyhow::Result<ExitCode> {
        let settings = DoctorSettings {
            database,
            listen_on: self.connections.listen_on()?,
            workers: self.connections.workers,
            timings: self.connections.timings(),
        };
        let checks = doctor::run(&settings).await;
        let ok = checks.iter().all(|check| check.status != Status::Failure);
        if self.json {
            let answer = json!({ "ok": ok, "checks": checks });
            print_line(serde_json::to_string_pretty(&answer)?);
        } else {
            for check in &checks {
                print_line(line(check));
            }
        }
        Ok(if ok {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn line(check: &Check) -> String {
    let status = match check.status {
        Status::Ok => "ok",
        Status::Warning => "WARNING",
        Status::Failure => "FAILED",
        Status::Skipped => "skipped",
    };
    let line = format!("{status:<8} {:<18} {}", check.check, check.found);
    match &check.advice {
        Some(advice) => format!("{line}; {advice}"),
        None => line,
    }
}
