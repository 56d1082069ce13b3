//! How long a small move takes that is queued while a large one is under way.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lead_mover::queue::{Control, Outcome, Queue};
use uuid::Uuid;

use crate::bed::{Bed, COLUMN, FUNNEL, RUN};
use crate::figures::Figures;

/// So many times the leads that a run usually has.
const LARGE: i32 = 5;
const SMALL: i32 = 100;
/// How far apart to look whether something has come about: far below what is measured.
const LOOK: Duration = Duration::from_millis(1);

pub(crate) async fn measure(bed: &Bed, leads: i32, rounds: u16) -> Figures {
    let large = leads * LARGE;
    let mut figures = Figures::on(format!(
        "a move of {SMALL} leads, queued behind one of {large} that is under way"
    ));
    for workers in [1, 2] {
        eprintln!("  {rounds} small moves beside a large one, {workers} worker(s)");
        let waits = waits_beside_a_large_move(bed, large, rounds, workers).await;
        figures.note_millis(
            format!("from its queueing to its last commit, {workers} worker(s)"),
            &waits,
        );
    }
    figures
}

/// What the workers have seen, for those who wait for it.
struct Seen {
    large_remaining: Cell<u64>,
    finished: RefCell<HashMap<Uuid, Instant>>,
    stop: Cell<bool>,
}

async fn waits_beside_a_large_move(
    bed: &Bed,
    large: i32,
    tries: u16,
    workers: usize,
) -> Vec<Duration> {
    let small: Vec<Uuid> = (0..tries).map(|_| Uuid::new_v4()).collect();
    let mut runs = vec![(RUN, large)];
    runs.extend(small.iter().map(|run| (*run, SMALL)));
    bed.import(&runs).await;
    let queues = join_all((0..workers).map(|_| bed.queue())).await;
    let application = bed.queue().await;
    enqueue(&application, RUN).await;

    let seen = Seen {
        large_remaining: Cell::new(u64::from(large.unsigned_abs())),
        finished: RefCell::default(),
        stop: Cell::new(false),
    };
    let asking = async {
        let step = u64::from(large.unsigned_abs()) / (u64::from(tries) + 1);
        let mut waits = Vec::new();
        for (run, left) in small.iter().zip((1..=u64::from(tries)).rev()) {
            until(|| seen.large_remaining.get() <= left * step).await;
            enqueue(&application, *run).await;
            let started = Instant::now();
            until(|| seen.finished.borrow().contains_key(run)).await;
            waits.push(seen.finished.borrow()[run].saturating_duration_since(started));
            assert!(
                seen.large_remaining.get() > 0,
                "the large move ended before the small ones: more --leads"
            );
        }
        seen.stop.set(true);
        waits
    };
    let (waits, _) = tokio::join!(
        asking,
        join_all(queues.iter().map(|queue| work(queue, &seen)))
    );

    application
        .control(Control::Cancel, RUN)
        .await
        .expect("it is cancelled");
    waits
}

async fn enqueue(application: &Queue, run: Uuid) {
    application
        .enqueue(run, FUNNEL, COLUMN, None)
        .await
        .expect("it is queued");
}

/// Batch after batch until it is told to stop.
async fn work(queue: &Queue, seen: &Seen) {
    while !seen.stop.get() {
        let batch = queue.process_batch(None).await.expect("it is processed");
        match batch.outcome {
            Outcome::Moved if batch.run_id == Some(RUN) => {
                seen.large_remaining.set(batch.leads_remaining);
            }
            Outcome::Moved => {
                let run = batch.run_id.expect("a move has a run");
                if batch.leads_remaining == 0 {
                    seen.finished.borrow_mut().insert(run, Instant::now());
                }
            }
            // Only where the large move has ended too soon; whoever waits says so.
            Outcome::Idle => pause().await,
            other => panic!("{other:?}: {:?}", batch.message),
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        pause().await;
    }
}

async fn pause() {
    tokio::time::sleep_until(tokio::time::Instant::now() + LOOK).await;
}
