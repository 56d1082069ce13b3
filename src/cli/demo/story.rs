//! What the demo does once the service is up: queue both runs by SQL, watch, and say how it went.

use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use uuid::{Uuid, uuid};

use crate::app::BatchReport;
use crate::cli::bars::Bars;
use crate::cli::output::say;
use crate::queue::{Outcome, Queue, QueueError};

const RUNS: [Uuid; 2] = [
    uuid!("a0000000-0000-4000-8000-000000000001"),
    uuid!("a0000000-0000-4000-8000-000000000002"),
];
const FUNNEL: Uuid = uuid!("f0000000-0000-4000-8000-000000000002");
const COLUMN: Uuid = uuid!("c0000000-0000-4000-8000-000000000002");

/// What became of one run.
struct Chapter {
    run_id: Uuid,
    name: String,
    /// When the enqueue was known to be committed.
    queued: Instant,
    batches: u32,
    leads: u32,
    first_batch: Option<Instant>,
    ended: Option<Instant>,
}

/// Answers with whether every lead is at its target.
pub(super) async fn tell(
    queue: &Queue,
    mut reports: Receiver<BatchReport>,
    batch_size: i32,
) -> Result<bool, QueueError> {
    say("Queueing both runs by SQL …\n");
    let mut chapters = Vec::new();
    for run_id in RUNS {
        let answer = queue
            .enqueue(run_id, FUNNEL, COLUMN, Some(batch_size))
            .await?;
        chapters.push(Chapter {
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
    while chapters.iter().any(|chapter| chapter.ended.is_none()) {
        match reports.recv().await {
            Ok(report) => note(&mut chapters, &report),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
        bars.show(&in_order(queue.progress(None).await?));
    }
    bars.show(&in_order(queue.progress(None).await?));
    say("");
    summarize(&chapters);
    all_at_target(queue).await
}

fn in_order(mut moves: Vec<crate::queue::Progress>) -> Vec<crate::queue::Progress> {
    moves.reverse();
    moves
}

fn note(chapters: &mut [Chapter], report: &BatchReport) {
    let batch = &report.batch;
    let Some(chapter) = chapters
        .iter_mut()
        .find(|chapter| batch.run_id == Some(chapter.run_id))
    else {
        return;
    };
    chapter.batches += 1;
    chapter.leads += batch.leads_moved;
    chapter.first_batch.get_or_insert(report.at);
    if batch.outcome == Outcome::Ended || batch.leads_remaining == 0 {
        chapter.ended = Some(report.at);
    }
}

fn summarize(chapters: &[Chapter]) {
    for chapter in chapters {
        say(format_args!(
            "{}: {} leads in {} batches; first batch {} and last lead {} after the enqueue's commit",
            chapter.name,
            chapter.leads,
            chapter.batches,
            since(chapter.queued, chapter.first_batch),
            since(chapter.queued, chapter.ended),
        ));
    }
    let leads: u32 = chapters.iter().map(|chapter| chapter.leads).sum();
    let batches: u32 = chapters.iter().map(|chapter| chapter.batches).sum();
    let queued = chapters.iter().map(|chapter| chapter.queued).min();
    let ended = chapters.iter().filter_map(|chapter| chapter.ended).max();
    let took = queued.map_or_else(String::new, |queued| since(queued, ended));
    say(format_args!(
        "Together: {leads} leads in {batches} batches, {took} from the first commit to the last lead."
    ));
    say("An Edge Function called by cron every 30 seconds took about five minutes for as many.");
}

/// A batch may be done before the enqueue's answer has come back.
fn since(start: Instant, end: Option<Instant>) -> String {
    match end {
        None => "never".to_owned(),
        Some(end) => format!("{:.1} ms", millis(end.saturating_duration_since(start))),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn all_at_target(queue: &Queue) -> Result<bool, QueueError> {
    let row = queue
        .client()
        .query_typed_one(
            "select
               count(*) filter (where funnel_id = $1 and column_id = $2),
               count(*)
             from public.leads",
            &[
                (&FUNNEL, postgres_types::Type::UUID),
                (&COLUMN, postgres_types::Type::UUID),
            ],
        )
        .await
        .map_err(QueueError::Progress)?;
    let (there, leads): (i64, i64) = (row.get(0), row.get(1));
    say(format_args!(
        "{there} of {leads} leads are at their target."
    ));
    Ok(there == leads)
}
