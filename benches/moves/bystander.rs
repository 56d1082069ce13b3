//! What an application notices: one that updates single leads of the same run all along.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::bed::{Bed, RUN};
use crate::figures::Figures;
use crate::ways::{Way, lead_mover};

const PERIOD: Duration = Duration::from_millis(5);
/// How long to watch where nothing moves.
const IDLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(bed: &Bed, leads: i32, rounds: u16) -> Figures {
    let ways = [None, Some(Way::Direct), Some(lead_mover(100, 2))];
    let mut waits = ways.map(|_| Vec::new());
    let mut batches = Vec::new();
    for round in 1..=rounds {
        for (way, waits) in ways.iter().zip(&mut waits) {
            eprintln!("  round {round}: beside {}", name(*way));
            bed.import(&[(RUN, leads)]).await;
            batches.extend(watch_beside(bed, *way, waits).await);
        }
    }

    let mut figures = Figures::on(format!(
        "an application updates single leads of a run of {leads}, 200 times a second at most"
    ));
    for (way, waits) in ways.iter().zip(&waits) {
        figures.note_millis(format!("it waits beside {}", name(*way)), waits);
    }
    figures.note_millis("the lead mover's batches, each a transaction", &batches);
    figures
}

/// Notes how long each of its updates took, while the run moves that way; `None`: while nothing moves.
/// Answers with how long the batches took.
async fn watch_beside(bed: &Bed, way: Option<Way>, waits: &mut Vec<Duration>) -> Vec<Duration> {
    let application = bed.open().await;
    let ids: Vec<Uuid> = application
        .query(
            "select id from public.leads where run_id = $1 order by random() limit 5000",
            &[&RUN],
        )
        .await
        .expect("ids can be read")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let update = application
        .prepare("update public.leads set phone = phone || '!' where id = $1")
        .await
        .expect("it can be prepared");

    let moved = Cell::new(false);
    let updating = async {
        let mut ticks = interval(PERIOD);
        // A person does not click faster for having waited.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for id in ids.iter().cycle() {
            ticks.tick().await;
            let started = Instant::now();
            application
                .execute(&update, &[id])
                .await
                .expect("it is updated");
            waits.push(started.elapsed());
            // Only now: the longest wait may be the one that ends with the move.
            if moved.get() {
                break;
            }
        }
    };
    let moving = async {
        let batches = if let Some(way) = way {
            way.time(bed).await.batches
        } else {
            tokio::time::sleep_until(tokio::time::Instant::now() + IDLE).await;
            Vec::new()
        };
        moved.set(true);
        batches
    };
    let ((), batches) = tokio::join!(updating, moving);
    batches
}

fn name(way: Option<Way>) -> String {
    way.map_or_else(|| "nothing".to_owned(), |way| way.to_string())
}
