//! How soon a move is done that the idle service is woken for: by a notification, by a message that falls
//! due, by the poll. Times are those of the commits, as the server keeps them.

use uuid::Uuid;

use crate::bed::Bed;
use crate::figures::Figures;
use crate::finished::{ENQUEUE, queue_by_and_wait};
use crate::service::Service;

const LEADS: i32 = 10;
/// Moves a round by notification; a tenth of that by due messages, a fiftieth by the poll.
const MOVES: u16 = 500;
/// Far shorter than in life (30 s), and long beside the rest.
const POLL: &str = "2s";

pub(crate) async fn measure(bed: &Bed, rounds: u16) -> Figures {
    let moves = MOVES * rounds;
    let mut figures = Figures::on(format!(
        "moves of {LEADS} leads while the service is idle, to the commit of the finished move"
    ));
    let by_notification = times(bed, moves, "1h", ENQUEUE).await;
    figures.note(
        "woken by NOTIFY, from the enqueue's commit",
        "ms",
        by_notification,
    );

    let by_due_message = times(bed, moves / 10, "1h", ENQUEUE_FOR_LATER).await;
    figures.note(
        "woken by a due message, from when it is due",
        "ms",
        by_due_message,
    );

    bed.execute("alter table pgmq.q_lead_migration_queue disable trigger lead_migration_queued")
        .await;
    let by_poll = times(bed, moves / 50, POLL, ENQUEUE).await;
    bed.execute("alter table pgmq.q_lead_migration_queue enable trigger lead_migration_queued")
        .await;
    figures.note(
        format!("found by a poll every {POLL}, from the enqueue's commit"),
        "ms",
        by_poll,
    );
    figures
}

/// Due in a while: the service is told of it by the notification, and then waits.
const ENQUEUE_FOR_LATER: &str = "
    with queued as materialized (
      select (public.queue_lead_migration($1, $2, $3) ->> 'message_id')::bigint as message_id
    )
    select pg_current_xact_id()::text, (pgmq.set_vt('lead_migration_queue', message_id, 1)).vt
    from queued";

/// Milliseconds of each move by itself, with a service of its own.
async fn times(bed: &Bed, moves: u16, poll_interval: &str, enqueue: &str) -> Vec<f64> {
    eprintln!("  {moves} moves, one after another, poll every {poll_interval}");
    let runs: Vec<(Uuid, i32)> = (0..=moves).map(|_| (Uuid::new_v4(), LEADS)).collect();
    bed.import(&runs).await;
    let _service = Service::start(bed.connection_string(), &["--poll-interval", poll_interval]);
    let mut times = Vec::new();
    for (run, _) in runs {
        times.push(queue_by_and_wait(bed, run, enqueue).await);
    }
    // The first was queued before the service was there.
    times.split_off(1)
}
