//! What the demo does once the service is up: queue both runs by SQL, show their progress, and print a summary.

use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_postgres::Client;

use crate::app::BatchReport;
use crate::cli::bars::Bars;
use crate::cli::output::print_line;
use crate::queue::{Outcome, Queue, QueueError};

const RUNS: [&str; 2] = [
    "a0000000-0000-4000-8000-000000000001",
    "a0000000-0000-4000-8000-000000000002",
];
const FUNNEL: &str = "f0000000-0000-4000-8000-000000000002";
const COLUMN: &str = "c0000000-0000-4000-8000-000000000002";

/// What is known of the move of one run.
struct RunSummary {
    run_id: &'static str,
    name: String,
    /// When the enqueue was known to be committed.
    queued: Instant,
    batches: u32,
    leads: u32,
    first_batch: Option<Instant>,
    ended: Option<Instant>,
}

/// Queues both runs, and returns whether every lead is at its target.
pub(super) async fn run(
    queue: &Queue,
    session: &Client,
    mut reports: Receiver<BatchReport>,
    batch_size: i32,
) -> Result<bool, QueueError> {
    print_line("Queueing both runs by SQL …\n");
    let mut runs = Vec::new();
    for run_id in RUNS {
        let answer = queue
            .enqueue(run_id, FUNNEL, COLUMN, Some(batch_size))
            .await?;
        runs.push(RunSummary {
            run_id,
            name: answer["run_name"].as_str().unwrap_or_default().to_owned(),
            queued: Instant::now(),
            batches: 0,
            leads: 0,
            first_batch: None,
            ended: None,
        });
    }

    let mut bars = Bars::default();
    while runs.iter().any(|run| run.ended.is_none()) {
        match reports.recv().await {
            Ok(report) => note(&mut runs, &report),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
        bars.show(&in_order(queue.progress(None).await?));
    }
    bars.show(&in_order(queue.progress(None).await?));
    print_line("");
    summarize(&runs);
    all_at_target(session).await
}

fn in_order(mut moves: Vec<crate::queue::Progress>) -> Vec<crate::queue::Progress> {
    moves.reverse();
    moves
}

fn note(runs: &mut [RunSummary], report: &BatchReport) {
    let batch = &report.batch;
    let of_batch = batch.run_id.as_ref().map(ToString::to_string);
    let Some(run) = runs
        .iter_mut()
        .find(|run| of_batch.as_deref() == Some(run.run_id))
    else {
        return;
    };
    run.batches += 1;
    run.leads += batch.leads_moved;
    run.first_batch.get_or_insert(report.at);
    if batch.outcome == Outcome::MoveFailed || batch.leads_remaining == 0 {
        run.ended = Some(report.at);
    }
}

fn summarize(runs: &[RunSummary]) {
    for run in runs {
        print_line(format_args!(
            "{}: {} leads in {} batches; first batch {} and last lead {} after the enqueue's commit",
            run.name,
            run.leads,
            run.batches,
            since(run.queued, run.first_batch),
            since(run.queued, run.ended),
        ));
    }
    let leads: u32 = runs.iter().map(|run| run.leads).sum();
    let batches: u32 = runs.iter().map(|run| run.batches).sum();
    let queued = runs.iter().map(|run| run.queued).min();
    let ended = runs.iter().filter_map(|run| run.ended).max();
    let took = queued.map_or_else(String::new, |queued| since(queued, ended));
    print_line(format_args!(
        "Together: {leads} leads in {batches} batches, {took} from the first commit to the last lead."
    ));
    print_line(
        "An Edge Function called by cron every 30 seconds took about five minutes for as many.",
    );
}

/// A batch may be done before the enqueue's result has come back.
fn since(start: Instant, end: Option<Instant>) -> String {
    match end {
        None => "never".to_owned(),
        Some(end) => format!("{:.1} ms", millis(end.saturating_duration_since(start))),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn all_at_target(session: &Client) -> Result<bool, QueueError> {
    let row = session
        .query_typed_one(
            "select
               count(*) filter (where funnel_id::text = $1 and column_id::text = $2),
               count(*)
             from public.leads",
            &[
                (&FUNNEL, postgres_types::Type::TEXT),
                (&COLUMN, postgres_types::Type::TEXT),
            ],
        )
        .await
        .map_err(QueueError::Progress)?;
    let (there, leads): (i64, i64) = (row.get(0), row.get(1));
    print_line(format_args!(
        "{there} of {leads} leads are at their target."
    ));
    Ok(there == leads)
}
