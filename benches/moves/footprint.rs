//! The service itself: the time until it is ready, and its memory.

use tokio::time::{Duration, interval};

use crate::figures::Figures;
use crate::finished::queue_and_wait;
use crate::fixture::{Fixture, RUN};
use crate::service::Service;

/// How many times larger its run is than that of the other parts.
const LARGE: i32 = 10;
/// Starts of the service in a round.
const STARTS: u16 = 20;
/// How often to read its memory.
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let leads = leads * LARGE;
    let (mut starts, mut idle, mut moving) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("  round {round}: {STARTS} starts, and a move of {leads} leads");
        fixture.import(&[(RUN, leads)]).await;
        for _ in 1..STARTS {
            starts.push(
                Service::start(fixture.connection_string(), &[])
                    .ready()
                    .await,
            );
        }
        let service = Service::start(fixture.connection_string(), &[]);
        starts.push(service.ready().await);
        idle.push(service.memory_mib());

        let mut ticks = interval(MEMORY_INTERVAL);
        let reading = async {
            loop {
                ticks.tick().await;
                moving.push(service.memory_mib());
            }
        };
        tokio::select! {
            _ = queue_and_wait(fixture, RUN) => {}
            () = reading => {}
        }
        fixture.check_all_at_target(leads).await;
    }

    let mut figures = Figures::on("the service as a process, with its defaults");
    figures.note_millis("from its start until it is ready", &starts);
    figures.note("resident memory once it is ready", "MiB", idle);
    figures.note(
        format!("resident memory while it moves {leads} leads"),
        "MiB",
        moving,
    );
    figures
}
