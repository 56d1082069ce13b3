//! What the service tells of queue and ledger, which it reads from the database when they are requested.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use crate::support::{Database, Service, eventually};

const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];
const DEPTH: &str = "lead_mover_queue_depth";
const AGE: &str = "lead_mover_queue_oldest_message_age_seconds";
const REMAINING: &str = "lead_mover_leads_remaining";
const STALLED: &str = "lead_mover_migrations_stalled";

/// A service that has read them.
async fn started(database: &Database) -> Service {
    let service = Service::start(database, &NO_POLL).await;
    eventually("the gauges are sampled", async || {
        !service.metric(DEPTH).await.is_nan()
    })
    .await;
    service
}

async fn moves(service: &Service, status: &str) -> f64 {
    let series = format!("lead_mover_migrations{{status=\"{status}\"}}");
    service.metric(&series).await
}

#[tokio::test]
async fn they_show_queue_and_ledger() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (paused, done) = (crm.run_of(250).await, crm.run_of(10).await);
    crm.enqueue(done).await;
    crm.process_all().await;
    crm.enqueue(paused).await;
    crm.process().await;
    crm.control("pause_lead_migration", paused).await;

    let service = started(&database).await;

    assert_eq!(service.metric(DEPTH).await, 1.0);
    assert_eq!(service.metric(REMAINING).await, 150.0);
    assert_eq!(service.metric(STALLED).await, 0.0);
    assert_eq!(moves(&service, "paused").await, 1.0);
    assert_eq!(moves(&service, "completed").await, 1.0);
    assert_eq!(moves(&service, "failed").await, 0.0);
}

#[tokio::test]
async fn an_empty_queue_is_no_unknown_one() {
    let database = Database::new().await;

    let service = started(&database).await;

    for series in [DEPTH, AGE, REMAINING, STALLED] {
        assert_eq!(service.metric(series).await, 0.0, "{series}");
    }
}

#[tokio::test]
async fn a_message_that_is_paused_or_comes_back_later_does_not_get_old() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (paused, later) = (crm.run_of(10).await, crm.run_of(10).await);
    crm.enqueue(paused).await;
    crm.control("pause_lead_migration", paused).await;
    crm.enqueue(later).await;
    database
        .run(
            "update pgmq.q_lead_migration_queue set vt = now() + interval '5 minutes', read_ct = 10 where vt < 'infinity';
             update pgmq.q_lead_migration_queue set enqueued_at = now() - interval '1 hour'",
        )
        .await;

    let service = started(&database).await;

    assert_eq!(service.metric(DEPTH).await, 2.0);
    assert_eq!(service.metric(AGE).await, 0.0);
}

#[tokio::test]
async fn a_message_is_as_old_as_it_has_been_due() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    database
        .run(
            "update pgmq.q_lead_migration_queue
             set enqueued_at = now() - interval '3 hours', vt = now() - interval '1 hour'",
        )
        .await;
    let holder = database.open().await;
    holder
        .batch_execute("begin; select from pgmq.q_lead_migration_queue for update")
        .await
        .expect("nobody else holds it");

    let service = started(&database).await;

    let age = service.metric(AGE).await;
    assert!((3_600.0..3_700.0).contains(&age), "{age}");
}

#[tokio::test]
async fn leads_that_came_into_a_run_do_not_hide_those_of_another() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (grows, waits) = (crm.run_of(150).await, crm.run_of(20).await);
    crm.enqueue(grows).await;
    crm.add_leads(grows, 500).await;
    for _ in 0..3 {
        crm.process().await;
    }
    crm.control("pause_lead_migration", grows).await;
    crm.enqueue(waits).await;
    crm.control("pause_lead_migration", waits).await;
    let below_zero: bool = database
        .value("select bool_or(moved > total) from lead_mover.lanes", &[])
        .await;
    assert!(below_zero, "this was not about a run that grew");

    let service = started(&database).await;

    assert_eq!(service.metric(REMAINING).await, 20.0);
}

#[tokio::test]
async fn they_have_no_value_where_the_database_was_never_reached() {
    let service = Service::start_unready("postgresql://nobody@127.0.0.1:1/none", &NO_POLL).await;

    for series in [DEPTH, AGE, REMAINING, STALLED] {
        assert!(service.metric(series).await.is_nan(), "{series}");
    }
    assert!(moves(&service, "failed").await.is_nan());
    assert_eq!(service.metric("lead_mover_leads_moved_total").await, 0.0);
}
