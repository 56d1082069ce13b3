//! What a service costs that has nothing to do.

use crate::support::{Database, Service, eventually};

/// When each of its sessions, but for the listener's, last sent a statement.
const LAST_STATEMENTS: &str = "
    select array_agg(format('%s %s', application_name, query_start) order by application_name)
    from pg_stat_activity
    where datname = current_database() and application_name ~ '^lead-mover (worker|sampler)'";

#[tokio::test]
async fn an_idle_service_that_nobody_looks_at_sends_nothing_but_its_heartbeat() {
    let database = Database::new().await;
    let service = Service::start(&database, &["--poll-interval", "1h"]).await;
    let heartbeat = || async {
        database
            .value::<String>(
                "select query_start::text from pg_stat_activity
                 where datname = current_database() and application_name = 'lead-mover listener'",
                &[],
            )
            .await
    };
    let next_heartbeat = async |last: String| {
        eventually("the heart beats", async || heartbeat().await != last).await;
        heartbeat().await
    };
    // What the last look at its readiness asked for is done by then.
    let first = next_heartbeat(heartbeat().await).await;
    let before: Vec<String> = database.value(LAST_STATEMENTS, &[]).await;

    next_heartbeat(first).await;

    let after: Vec<String> = database.value(LAST_STATEMENTS, &[]).await;
    assert_eq!(before.len(), 3, "{before:?}");
    assert_eq!(after, before);
    drop(service);
}
