//! How long an application that updates single leads of the same run waits during the move.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::figures::Figures;
use crate::fixture::{Fixture, RUN};
use crate::ways::{Way, lead_mover};

const PERIOD: Duration = Duration::from_millis(5);
/// How long to measure while nothing moves.
const IDLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let ways = [None, Some(Way::Direct), Some(lead_mover(100, 2))];
    let mut waits = ways.map(|_| Vec::new());
    for round in 1..=rounds {
        for (way, waits) in ways.iter().zip(&mut waits) {
            eprintln!("  round {round}: beside {}", name(*way));
            fixture.import(&[(RUN, leads)]).await;
            update_beside(fixture, *way, waits).await;
        }
    }

    let mut figures = Figures::on(format!(
        "an application updates single leads of a run of {leads}, 200 times a second at most"
    ));
    for (way, waits) in ways.iter().zip(&waits) {
        figures.note_millis(format!("it waits beside {}", name(*way)), waits);
    }
    figures
}

/// Records the time of each update while the run is moved that way; `None`: while nothing moves.
async fn update_beside(fixture: &Fixture, way: Option<Way>, waits: &mut Vec<Duration>) {
    let application = fixture.open().await;
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
        // A user does not click faster after a wait.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for id in ids.iter().cycle() {
            ticks.tick().await;
            let started = Instant::now();
            application
                .execute(&update, &[id])
                .await
                .expect("it is updated");
            waits.push(started.elapsed());
            // Checked last, because the longest wait may end with the move.
            if moved.get() {
                break;
            }
        }
    };
    let moving = async {
        if let Some(way) = way {
            way.time(fixture).await;
        } else {
            tokio::time::sleep_until(tokio::time::Instant::now() + IDLE).await;
        }
        moved.set(true);
    };
    tokio::join!(updating, moving);
}

fn name(way: Option<Way>) -> String {
    way.map_or_else(|| "nothing".to_owned(), |way| way.to_string())
}
