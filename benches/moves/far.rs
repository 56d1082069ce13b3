//! A database far away: what the network delay costs.

use std::time::Duration;

use crate::figures::Figures;
use crate::finished::queue_and_wait;
use crate::fixture::{Fixture, RUN};
use crate::proxy::{Faults, Proxy};
use crate::service::Service;

/// In each direction.
const DELAYS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(25)];

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let leads = leads / 5;
    let proxy = Proxy::before(fixture.connection_string()).await;
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 1..=rounds {
        for (delay, times) in DELAYS.into_iter().zip(&mut times) {
            eprintln!("  round {round}: {delay:?} away");
            fixture.import(&[(RUN, leads)]).await;
            proxy.set(Faults {
                delay,
                ..Faults::default()
            });
            let service = Service::start(
                &proxy.connection_string(),
                &["--workers", "4", "--poll-interval", "1h"],
            );
            service.ready().await;
            times.push(queue_and_wait(fixture, RUN).await);
            fixture.check_all_at_target(leads).await;
        }
    }

    let mut figures = Figures::on(format!(
        "{leads} leads of one run, batches of 100, 4 workers, through a proxy; from the enqueue's commit"
    ));
    for (delay, times) in DELAYS.into_iter().zip(&times) {
        figures.note_seconds(format!("{delay:?} away, each way"), times);
    }
    figures.note_ratio("ratio of far to near", &times[1], &times[0]);
    figures
}
