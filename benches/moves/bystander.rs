//! What an application notices: one that updates single leads of the same run all along.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::bed::{Bed, RUN};
use crate::ways::Way;

const PERIOD: Duration = Duration::from_millis(5);
/// How long to watch where nothing moves.
const IDLE: Duration = Duration::from_secs(2);

/// How long each of its updates took, while the run moves that way; `None`: while nothing moves.
pub(crate) async fn waits_beside(bed: &Bed, way: Option<Way>) -> Vec<Duration> {
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

    let mut waits = Vec::new();
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
        match way {
            Some(way) => drop(way.time(bed).await),
            None => tokio::time::sleep_until(tokio::time::Instant::now() + IDLE).await,
        }
        moved.set(true);
    };
    tokio::join!(updating, moving);
    waits
}
