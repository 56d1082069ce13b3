//! Moves by the service, timed by the server's commit timestamps.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::fixture::{COLUMN, FUNNEL, Fixture};
use crate::service::Service;

/// How often to check whether a move has ended. The measured time does not depend on it.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Returns the id of its transaction, and when its message is due if that is later than the commit.
pub(crate) const ENQUEUE: &str = "
    select pg_current_xact_id()::text, null::timestamptz
    from public.queue_lead_migration($1, $2, $3)";

/// Milliseconds from the enqueue's commit, or from the due time if that is later, to the last batch's commit.
const TIME: &str = "
    select 1000 * extract(epoch from
      pg_xact_commit_timestamp(m.xmin) - coalesce($3, pg_xact_commit_timestamp($2::text::xid))
    )::double precision
    from lead_mover.moves m
    where m.run_id = $1 and m.status = 'completed'";

/// The time that a service with so many workers takes for the run, from the enqueue's commit to that of the
/// last batch. The service is ready before.
pub(crate) async fn move_run(
    fixture: &Fixture,
    run: Uuid,
    batch_size: i32,
    workers: usize,
) -> Duration {
    let service = Service::start(
        fixture.connection_string(),
        &["--workers", &workers.to_string(), "--poll-interval", "1h"],
    );
    service.ready().await;
    let enqueue = ENQUEUE.replace("$3", &format!("$3, {batch_size}"));
    milliseconds(queue_by_and_wait(fixture, run, &enqueue).await)
}

/// The time from the enqueue's commit to that of the finished move.
pub(crate) async fn queue_and_wait(fixture: &Fixture, run: Uuid) -> Duration {
    milliseconds(queue_by_and_wait(fixture, run, ENQUEUE).await)
}

/// The same in milliseconds, queued by a statement like [`ENQUEUE`].
pub(crate) async fn queue_by_and_wait(fixture: &Fixture, run: Uuid, enqueue: &str) -> f64 {
    let client = fixture.client();
    let time = client.prepare(TIME).await.expect("it can be prepared");
    let queued = client
        .query_one(enqueue, &[&run, &FUNNEL, &COLUMN])
        .await
        .expect("it is queued");
    let (transaction, due): (String, Option<chrono::DateTime<chrono::Utc>>) =
        (queued.get(0), queued.get(1));
    loop {
        let ended = client
            .query_opt(&time, &[&run, &transaction, &due])
            .await
            .expect("the ledger can be read");
        if let Some(row) = ended {
            return row.get(0);
        }
        sleep_until(Instant::now() + POLL_INTERVAL).await;
    }
}

fn milliseconds(time: f64) -> Duration {
    Duration::from_secs_f64(time / 1e3)
}
