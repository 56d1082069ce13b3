//! The buffers that a batch reads at the start, in the middle and at the end of a run.

use serde_json::Value;
use tokio_postgres::Client;

use crate::figures::Figures;
use crate::fixture::{COLUMN, FUNNEL, Fixture, RUN};

/// So many batches at each place.
const WINDOW: i32 = 20;

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let batches = leads / 100;
    assert!(
        batches > 4 * WINDOW,
        "too few leads for three places in the run"
    );
    // The first batch warms the session up.
    let places = [
        ("start", 1),
        ("middle", (batches - WINDOW) / 2),
        ("end", batches - WINDOW),
    ];
    let mut buffers = places.map(|_| Vec::new());
    for round in 1..=rounds {
        eprintln!("  round {round}");
        fixture.import(&[(RUN, batches * 100)]).await;
        fixture
            .queue()
            .await
            .enqueue(
                &RUN.to_string(),
                &FUNNEL.to_string(),
                &COLUMN.to_string(),
                Some(100),
            )
            .await
            .expect("it is queued");
        let worker = fixture.open().await;
        for batch in 0..batches {
            let touched = touched_by_a_batch(&worker).await;
            for ((_, from), buffers) in places.iter().zip(&mut buffers) {
                if (*from..*from + WINDOW).contains(&batch) {
                    buffers.push(touched);
                }
            }
        }
        fixture.check_all_at_target(batches * 100).await;
    }

    let mut figures = Figures::on(format!(
        "shared buffers hit and read by a batch of 100, of a run of {}",
        batches * 100
    ));
    for ((place, _), buffers) in places.iter().zip(buffers) {
        figures.note(
            format!("{WINDOW} batches at the {place} of the run"),
            "",
            buffers,
        );
    }
    figures
}

/// The server's count for the call includes the statements in its functions, and triggers.
async fn touched_by_a_batch(worker: &Client) -> f64 {
    let explained: Value = worker
        .query_one(
            "explain (analyze, buffers, format json) select * from lead_mover.process_batch(null)",
            &[],
        )
        .await
        .expect("it is processed")
        .get(0);
    let count = |what: &str| explained[0]["Plan"][what].as_f64().expect("a count");
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}
