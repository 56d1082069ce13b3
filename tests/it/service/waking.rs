//! What makes `lead-mover serve` look: notifications, due messages, the poll, a connection that is back.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use crate::support::{Database, Service, eventually};

/// Long enough that nothing in a test is owed to it.
const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];
const RECONNECTED: &str = "lead_mover_wakeups_total{reason=\"reconnect\"}";

#[tokio::test]
async fn a_queued_move_is_noticed_by_its_notification() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let service = Service::start(&database, &NO_POLL).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 478);
    assert!(
        service
            .metric("lead_mover_wakeups_total{reason=\"notify\"}")
            .await
            >= 1.0
    );
    assert_eq!(service.metric("lead_mover_leads_moved_total").await, 478.0);
    assert_eq!(
        service
            .metric("lead_mover_batches_total{outcome=\"moved\"}")
            .await,
        5.0
    );
    assert_eq!(service.metric("lead_mover_pickup_seconds_count").await, 1.0);
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn without_the_trigger_the_poll_finds_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database
        .run("alter table pgmq.q_lead_migration_queue disable trigger lead_migration_queued")
        .await;
    let service = Service::start(&database, &["--poll-interval", "200ms"]).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(
        service
            .metric("lead_mover_wakeups_total{reason=\"notify\"}")
            .await,
        0.0
    );
    assert!(
        service
            .metric("lead_mover_wakeups_total{reason=\"poll\"}")
            .await
            >= 1.0
    );
}

#[tokio::test]
async fn a_service_that_is_not_to_listen_polls_and_is_ready() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let arguments = ["--database-listen-url", "off", "--poll-interval", "200ms"];
    let service = Service::start(&database, &arguments).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(service.readyz().await.1["listener"], "off");
    let connected = service.metric("lead_mover_listener_connected").await;
    assert!(connected.is_nan(), "{connected}");
    let listeners: i64 = database
        .value(
            "select count(*) from pg_stat_activity
             where datname = current_database() and application_name = 'lead-mover listener'",
            &[],
        )
        .await;
    assert_eq!(listeners, 0);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn what_was_queued_while_nobody_listened_is_done_at_the_start() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let _service = Service::start(&database, &NO_POLL).await;

    crm.completed(run).await;
}

#[tokio::test]
async fn a_delayed_message_is_taken_when_it_falls_due() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    database
        .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp() + interval '1 second'")
        .await;

    let service = Service::start(&database, &NO_POLL).await;

    crm.completed(run).await;
    assert!(
        service
            .metric("lead_mover_wakeups_total{reason=\"due\"}")
            .await
            >= 1.0
    );
}

#[tokio::test]
async fn putting_messages_back_notifies_nobody() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let service = Service::start(&database, &["--poll-interval", "1h", "--workers", "1"]).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;
    crm.completed(run).await;

    assert_eq!(
        service
            .metric("lead_mover_wakeups_total{reason=\"notify\"}")
            .await,
        1.0
    );
}

#[tokio::test]
async fn a_listener_that_lost_its_connection_comes_back_and_drains_what_it_missed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let service = Service::start(&database, &NO_POLL).await;
    let run = crm.run_of(10).await;

    // The commit that queues it finds nobody who listens: the listener's process is waited for, and it does
    // not come back within the same moment.
    let queued_as_it_ends = format!(
        "begin;
         select public.queue_lead_migration('{run}', '{}', '{}');
         select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where datname = current_database() and application_name = 'lead-mover listener';
         commit",
        crm.target.funnel, crm.target.column
    );
    let before = service.metric(RECONNECTED).await;
    database.run(&queued_as_it_ends).await;

    crm.completed(run).await;
    service.ready().await;
    assert_eq!(
        service
            .metric("lead_mover_reconnects_total{connection=\"listener\"}")
            .await,
        1.0
    );
    assert_eq!(
        service.count_logged("listener lost; polling until it is back"),
        1
    );
    eventually("it was looked for when the listener was back", async || {
        service.metric(RECONNECTED).await > before
    })
    .await;

    // And it hears again.
    let before = service
        .metric("lead_mover_wakeups_total{reason=\"notify\"}")
        .await;
    let next = crm.run_of(10).await;
    crm.enqueue(next).await;
    crm.completed(next).await;
    assert!(
        service
            .metric("lead_mover_wakeups_total{reason=\"notify\"}")
            .await
            > before
    );
}

#[tokio::test]
async fn workers_that_lost_their_connections_go_on_where_they_were() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let service = Service::start(&database, &NO_POLL).await;
    let run = crm.run_of(3_000).await;

    crm.enqueue(run).await;
    database
        .run("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lead-mover worker%'")
        .await;

    crm.completed(run).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 3_000);
    crm.check().await;
    service.ready().await;
}
