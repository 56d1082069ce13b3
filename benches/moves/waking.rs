//! How soon the idle service has done a move: woken by a notification, by a message that becomes due, or by the
//! poll. Times are the server's commit timestamps.

use uuid::Uuid;

use crate::figures::Figures;
use crate::finished::{ENQUEUE, queue_by_and_wait};
use crate::fixture::Fixture;
use crate::service::Service;

const LEADS: i32 = 10;
/// Moves a round by notification; a tenth of that by due messages, a fiftieth by the poll.
const MOVES: u16 = 500;
/// Far shorter than the default (30 s), and long compared with the rest.
const POLL: &str = "2s";

pub(crate) async fn measure(fixture: &Fixture, rounds: u16) -> Figures {
    let moves = MOVES * rounds;
    let mut figures = Figures::on(format!(
        "moves of {LEADS} leads while the service is idle, to the commit of the finished move"
    ));
    let by_notification = times(fixture, moves, "1h", ENQUEUE).await;
    figures.note(
        "woken by NOTIFY, from the enqueue's commit",
        "ms",
        by_notification,
    );

    let by_due_message = times(fixture, moves / 10, "1h", ENQUEUE_FOR_LATER).await;
    figures.note(
        "woken by a due message, from when it is due",
        "ms",
        by_due_message,
    );

    fixture
        .execute("alter table pgmq.q_lead_migration_queue disable trigger lead_migration_queued")
        .await;
    let by_poll = times(fixture, moves / 50, POLL, ENQUEUE).await;
    fixture
        .execute("alter table pgmq.q_lead_migration_queue enable trigger lead_migration_queued")
        .await;
    figures.note(
        format!("found by a poll every {POLL}, from the enqueue's commit"),
        "ms",
        by_poll,
    );
    figures
}

/// Due after a second: the notification wakes the service, which then waits for the message.
const ENQUEUE_FOR_LATER: &str = "
    with queued as materialized (
      select (public.queue_lead_migration($1, $2, $3) ->> 'message_id')::bigint as message_id
    )
    select pg_current_xact_id()::text, (pgmq.set_vt('lead_migration_queue', message_id, 1)).vt
    from queued";

/// The milliseconds of each move, one after the other, with a new service.
async fn times(fixture: &Fixture, moves: u16, poll_interval: &str, enqueue: &str) -> Vec<f64> {
    eprintln!("  {moves} moves, one after another, poll every {poll_interval}");
    let runs: Vec<(Uuid, i32)> = (0..=moves).map(|_| (Uuid::new_v4(), LEADS)).collect();
    fixture.import(&runs).await;
    let _service = Service::start(
        fixture.connection_string(),
        &["--poll-interval", poll_interval],
    );
    let mut times = Vec::new();
    for (run, _) in runs {
        times.push(queue_by_and_wait(fixture, run, enqueue).await);
    }
    // The first was queued before the service was ready.
    times.split_off(1)
}
