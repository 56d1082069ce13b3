//! The call that queues a move of a run imported just before: the first of its session, and a later one.

use std::time::{Duration, Instant};

use lead_mover::queue::Queue;
use uuid::{Uuid, uuid};

use crate::figures::Figures;
use crate::fixture::{COLUMN, FUNNEL, Fixture, RUN};

const ANOTHER_RUN: Uuid = uuid!("a0000000-0000-4000-8000-000000000002");
/// A run of usual size.
const FEW: i32 = 500;

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let mut figures =
        Figures::on("queue_lead_migration, with its commit, for a run imported just before");
    for size in [leads, FEW] {
        let (mut cold, mut warm) = (Vec::new(), Vec::new());
        for round in 1..=rounds {
            eprintln!("  round {round}: {size} leads");
            fixture.import(&[(RUN, size), (ANOTHER_RUN, size)]).await;
            let queue = fixture.queue().await;
            cold.push(time(&queue, RUN, size).await);
            warm.push(time(&queue, ANOTHER_RUN, size).await);
        }
        figures.note_millis(format!("{size} leads, first call of a session"), &cold);
        figures.note_millis(format!("{size} leads, second call of a session"), &warm);
    }
    figures
}

async fn time(queue: &Queue, run: Uuid, leads: i32) -> Duration {
    let started = Instant::now();
    let result = queue
        .enqueue(
            &run.to_string(),
            &FUNNEL.to_string(),
            &COLUMN.to_string(),
            None,
        )
        .await
        .expect("it is queued");
    let took = started.elapsed();
    assert_eq!(result["total"], leads);
    took
}
