//! What the service itself takes: time to become ready, and memory.

use tokio::time::{Duration, interval};

use crate::bed::{Bed, RUN};
use crate::figures::Figures;
use crate::finished::queue_and_wait;
use crate::service::Service;

/// So many times the leads that a run usually has.
const LARGE: i32 = 10;
/// Starts a round.
const STARTS: u16 = 20;
/// How far apart to look how much memory it has.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn measure(bed: &Bed, leads: i32, rounds: u16) -> Figures {
    let leads = leads * LARGE;
    let (mut starts, mut idle, mut moving) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("  round {round}: {STARTS} starts, and a move of {leads} leads");
        bed.import(&[(RUN, leads)]).await;
        for _ in 1..STARTS {
            starts.push(Service::start(bed.connection_string(), &[]).ready().await);
        }
        let service = Service::start(bed.connection_string(), &[]);
        starts.push(service.ready().await);
        idle.push(service.memory_mib());

        let mut looks = interval(LOOK);
        let looking = async {
            loop {
                looks.tick().await;
                moving.push(service.memory_mib());
            }
        };
        tokio::select! {
            _ = queue_and_wait(bed, RUN) => {}
            () = looking => {}
        }
        bed.check_all_at_target(leads).await;
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
