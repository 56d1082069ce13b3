//! Moves that the service makes, timed by the commits as the server keeps them.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::bed::{Bed, COLUMN, FUNNEL};

/// How far apart to look whether a move has ended: what is measured does not depend on it.
const LOOK: Duration = Duration::from_millis(5);

/// Answers with the id of its transaction, and with when its message is due where that is later.
pub(crate) const ENQUEUE: &str = "
    select pg_current_xact_id()::text, null::timestamptz
    from public.queue_lead_migration($1, $2, $3)";

/// From the commit of the enqueue to that of the finished move.
pub(crate) async fn queue_and_wait(bed: &Bed, run: Uuid) -> Duration {
    Duration::from_secs_f64(queue_by_and_wait(bed, run, ENQUEUE).await / 1e3)
}

/// The same in milliseconds, queued by a statement like [`ENQUEUE`]; from when its message was due, if later.
pub(crate) async fn queue_by_and_wait(bed: &Bed, run: Uuid, enqueue: &str) -> f64 {
    let queued = bed
        .client()
        .query_one(enqueue, &[&run, &FUNNEL, &COLUMN])
        .await
        .expect("it is queued");
    let (transaction, due): (String, Option<chrono::DateTime<chrono::Utc>>) =
        (queued.get(0), queued.get(1));
    loop {
        let ended = bed
            .client()
            .query_opt(
                "select 1000 * extract(epoch from
                   pg_xact_commit_timestamp(m.xmin) - coalesce($3, pg_xact_commit_timestamp($2::text::xid))
                 )::double precision
                 from lead_mover.moves m
                 where m.run_id = $1 and m.status = 'completed'",
                &[&run, &transaction, &due],
            )
            .await
            .expect("it can be looked up");
        if let Some(row) = ended {
            return row.get(0);
        }
        sleep_until(Instant::now() + LOOK).await;
    }
}
