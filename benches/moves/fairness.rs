//! How long a small move takes that is queued behind a running large one.

use std::time::Duration;

use lead_mover::queue::Control;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::figures::Figures;
use crate::finished::queue_and_wait;
use crate::fixture::{COLUMN, FUNNEL, Fixture, RUN};
use crate::service::Service;

/// How many times larger the large run is than that of the other parts.
const LARGE: i32 = 5;
const SMALL: i32 = 100;
/// How often to check the progress of the large move.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let large = leads * LARGE;
    let mut figures = Figures::on(format!(
        "a move of {SMALL} leads, queued behind a running one of {large}"
    ));
    for workers in [1, 2] {
        eprintln!("  {rounds} small moves beside a large one, {workers} worker(s)");
        let times = times_beside_a_large_move(fixture, large, rounds, workers).await;
        figures.note_millis(
            format!("from the enqueue's commit to the last batch's, {workers} worker(s)"),
            &times,
        );
    }
    figures
}

async fn times_beside_a_large_move(
    fixture: &Fixture,
    large: i32,
    rounds: u16,
    workers: usize,
) -> Vec<Duration> {
    let small: Vec<Uuid> = (0..rounds).map(|_| Uuid::new_v4()).collect();
    let mut runs = vec![(RUN, large)];
    runs.extend(small.iter().map(|run| (*run, SMALL)));
    fixture.import(&runs).await;
    let service = Service::start(
        fixture.connection_string(),
        &["--workers", &workers.to_string(), "--poll-interval", "1h"],
    );
    service.ready().await;
    let application = fixture.queue().await;
    application
        .enqueue(
            &RUN.to_string(),
            &FUNNEL.to_string(),
            &COLUMN.to_string(),
            None,
        )
        .await
        .expect("it is queued");

    let step = i64::from(large) / (i64::from(rounds) + 1);
    let mut times = Vec::new();
    for (run, left) in small.into_iter().zip((1..=i64::from(rounds)).rev()) {
        while remaining(fixture).await > left * step {
            sleep_until(Instant::now() + POLL_INTERVAL).await;
        }
        times.push(queue_and_wait(fixture, run).await);
        assert!(
            remaining(fixture).await > 0,
            "the large move ended before the small ones: more --leads"
        );
    }
    application
        .control(Control::Cancel, &RUN.to_string())
        .await
        .expect("it is cancelled");
    times
}

/// Leads that the large move has left.
async fn remaining(fixture: &Fixture) -> i64 {
    fixture
        .client()
        .query_one(
            "select p.remaining from public.get_lead_migration_progress($1) p",
            &[&RUN],
        )
        .await
        .expect("the progress can be read")
        .get(0)
}
