//! `lead-mover enqueue`, `status`, `cancel`, `pause`, `resume`, `retry`: the SQL functions from a
//! terminal.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, sleep_until};

use super::bars::{self, Bars};
use super::output::print_line;
use crate::queue::{Control, Progress, Queue, QueueError};
use pg_connection::ConnectionSettings;

const APPLICATION_NAME: &str = "lead-mover cli";
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct EnqueueArgs {
    /// The run whose leads are to move
    #[arg(allow_negative_numbers = true)]
    run: String,
    /// The funnel to move them to; any word, as -, in a CRM without funnels
    #[arg(allow_negative_numbers = true)]
    funnel: String,
    /// The column of that funnel
    #[arg(allow_negative_numbers = true)]
    column: String,
    /// Leads a batch, 1 to 10000 [default: 100]
    #[arg(long, allow_negative_numbers = true)]
    batch_size: Option<i32>,
    /// Show the progress, and exit when the move has ended: 0 if every lead was moved
    #[arg(long)]
    wait: bool,
    /// Print the SQL function's JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Only the moves of this run
    #[arg(allow_negative_numbers = true)]
    run: Option<String>,
    /// Keep showing, until no move is active
    #[arg(long)]
    watch: bool,
    /// Print the rows of the SQL function as JSON
    #[arg(long)]
    json: bool,
}

impl EnqueueArgs {
    pub(super) async fn run(&self, database: &ConnectionSettings) -> anyhow::Result<ExitCode> {
        let queue = Queue::connect(database, APPLICATION_NAME).await?;
        let enqueue = queue.enqueue(&self.run, &self.funnel, &self.column, self.batch_size);
        let result = queue.read_committed(enqueue).await?;
        print_result(&result, self.json);
        let Some(migration_id) = result["migration_id"].as_i64().filter(|_| self.wait) else {
            return Ok(ExitCode::SUCCESS);
        };
        let ended = watch(&queue, Some(&self.run), self.json, |progress| {
            progress.migration_id == migration_id
        })
        .await?;
        let completed = ended.iter().all(|progress| progress.status == "completed");
        Ok(if completed {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl StatusArgs {
    pub(super) async fn run(&self, database: &ConnectionSettings) -> anyhow::Result<ExitCode> {
        let queue = Queue::connect(database, APPLICATION_NAME).await?;
        if self.watch {
            watch(&queue, self.run.as_deref(), self.json, |_| true).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let moves = queue.progress(self.run.as_deref()).await?;
        if self.json {
            print_line(serde_json::to_string_pretty(&moves)?);
        } else if moves.is_empty() {
            print_line("no moves");
        } else {
            for progress in &moves {
                print_line(bars::line(progress));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Calls the function and prints its answer.
pub(super) async fn control(
    control: Control,
    run: &str,
    json: bool,
    database: &ConnectionSettings,
) -> anyhow::Result<ExitCode> {
    let queue = Queue::connect(database, APPLICATION_NAME).await?;
    let result = queue.read_committed(queue.control(control, run)).await?;
    print_result(&result, json);
    Ok(ExitCode::SUCCESS)
}

/// Shows the chosen moves until all of them have ended, and returns them. As JSON it prints a line each time
/// something has changed.
async fn watch(
    queue: &Queue,
    run: Option<&str>,
    json: bool,
    chosen: impl Fn(&Progress) -> bool,
) -> Result<Vec<Progress>, QueueError> {
    let mut bars = Bars::default();
    let mut last_line = String::new();
    loop {
        let mut moves = queue.progress(run).await?;
        moves.retain(&chosen);
        moves.reverse();
        if json {
            let line = serde_json::json!(moves).to_string();
            if line != last_line {
                print_line(&line);
                last_line = line;
            }
        } else {
            bars.show(&moves);
        }
        if moves.iter().all(Progress::is_finished) {
            return Ok(moves);
        }
        sleep_until(Instant::now() + WATCH_INTERVAL).await;
    }
}

fn print_result(result: &serde_json::Value, json: bool) {
    match result["message"].as_str() {
        Some(message) if !json => print_line(message),
        _ => print_line(result),
    }
}
