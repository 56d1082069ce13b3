//! `lead-mover serve`, the real binary, next to a real PostgreSQL.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use nix::sys::signal::Signal;

use crate::support::{Database, Gate, Service, eventually, get};

/// Long enough that nothing in a test is owed to it.
const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];

#[tokio::test]
async fn a_queued_move_is_noticed_by_its_notification() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let service = Service::start(&database, &NO_POLL).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
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
        .run("drop trigger lead_migration_queued on pgmq.q_lead_migration_queue")
        .await;
    let service = Service::start(&database, &["--poll-interval", "200ms"]).await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
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
async fn what_was_queued_while_nobody_listened_is_done_at_the_start() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let _service = Service::start(&database, &NO_POLL).await;

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
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

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
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
    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;

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

    // In one transaction: the notification goes to a session that is ending.
    database
        .run("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'lead-mover listener'")
        .await;
    crm.enqueue(run).await;

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
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

    // And it hears again.
    let before = service
        .metric("lead_mover_wakeups_total{reason=\"notify\"}")
        .await;
    let next = crm.run_of(10).await;
    crm.enqueue(next).await;
    eventually("the next is completed", async || {
        crm.status(next).await == "completed"
    })
    .await;
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

    eventually("the move is completed", async || {
        crm.status(run).await == "completed"
    })
    .await;
    assert_eq!(crm.leads_at(run, crm.target).await, 3_000);
    crm.check().await;
    service.ready().await;
}

#[tokio::test]
async fn every_series_is_there_from_the_start() {
    let database = Database::new().await;
    let service = Service::start(&database, &NO_POLL).await;

    for series in [
        "lead_mover_leads_moved_total",
        "lead_mover_leads_rejected_total",
        "lead_mover_batches_total{outcome=\"moved\"}",
        "lead_mover_batches_total{outcome=\"failed\"}",
        "lead_mover_batches_total{outcome=\"ended\"}",
        "lead_mover_batches_total{outcome=\"refused\"}",
        "lead_mover_batch_duration_seconds_count",
        "lead_mover_pickup_seconds_count",
        "lead_mover_queue_depth",
        "lead_mover_queue_oldest_message_age_seconds",
        "lead_mover_leads_remaining",
        "lead_mover_migrations{status=\"failed\"}",
        "lead_mover_wakeups_total{reason=\"notify\"}",
        "lead_mover_reconnects_total{connection=\"listener\"}",
        "lead_mover_errors_total{kind=\"connection\"}",
    ] {
        assert_eq!(service.metric(series).await, 0.0, "{series}");
    }
    assert_eq!(service.metric("lead_mover_listener_connected").await, 1.0);
    let version = format!(
        "lead_mover_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(service.metric(&version).await, 1.0);
}

#[tokio::test]
async fn the_gauges_show_queue_and_ledger() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (paused, done) = (crm.run_of(250).await, crm.run_of(10).await);
    crm.enqueue(done).await;
    crm.process_all().await;
    crm.enqueue(paused).await;
    crm.control("pause_lead_migration", paused).await;

    let service = Service::start(&database, &NO_POLL).await;

    // The first sample is taken at the start.
    eventually("the gauges are sampled", async || {
        service.metric("lead_mover_queue_depth").await == 1.0
    })
    .await;
    assert_eq!(service.metric("lead_mover_leads_remaining").await, 250.0);
    assert_eq!(
        service
            .metric("lead_mover_migrations{status=\"paused\"}")
            .await,
        1.0
    );
    assert_eq!(
        service
            .metric("lead_mover_migrations{status=\"completed\"}")
            .await,
        1.0
    );
    assert!(
        service
            .metric("lead_mover_queue_oldest_message_age_seconds")
            .await
            > 0.0
    );
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let database = Database::empty().await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;

    eventually("the missing schema is noticed", async || {
        let (status, body) = service.readyz().await;
        status == 503 && body["schema"] == "missing" && body["listener"] == "hearing"
    })
    .await;
    assert_eq!(
        get(service.address(), "/healthz").await.0,
        200,
        "it lives all the same"
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_waited_for_with_one_line() {
    let service = Service::start_unready("postgresql://u:geheim123@127.0.0.1:1/x", &NO_POLL).await;

    eventually("several tries have failed", async || {
        service
            .metric("lead_mover_errors_total{kind=\"connection\"}")
            .await
            > 5.0
    })
    .await;

    assert_eq!(
        service.count_logged("database not reached; trying again"),
        1
    );
    assert_eq!(
        service.count_logged("listener lost; polling until it is back"),
        1
    );
    let log = format!("{:?}", service.log());
    assert!(!log.contains("geheim123"), "{log}");
    let (status, body) = service.readyz().await;
    assert_eq!((status, &body["database"]), (503, &"lost".into()), "{body}");
    assert_eq!(service.stop().await, Some(0), "it stops while it waits");
}

#[tokio::test]
async fn sigterm_lets_the_running_batch_finish_and_begins_no_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let gate = Gate::close(&database).await;
    let service = Service::start(&database, &["--poll-interval", "1h", "--workers", "1"]).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;

    service.signal(Signal::SIGTERM);
    eventually("it drains", async || {
        service.count_logged("stopping: no new batch") == 1
    })
    .await;
    assert_eq!(service.readyz().await.0, 503);
    gate.open().await;
    let mut service = service;

    assert_eq!(service.exit().await, Some(0));
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    crm.check().await;
}

#[tokio::test]
async fn a_second_signal_cancels_the_running_batch_which_rolls_back() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let gate = Gate::close(&database).await;
    let mut service = Service::start(&database, &["--poll-interval", "1h", "--workers", "1"]).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;

    service.signal(Signal::SIGTERM);
    eventually("it drains", async || {
        service.count_logged("stopping: no new batch") == 1
    })
    .await;
    service.signal(Signal::SIGTERM);

    assert_eq!(service.exit().await, Some(0));
    gate.open().await;
    no_worker_is_left(&database).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 0);
    assert_eq!(
        crm.progress(run).await.get::<_, i32>("attempts"),
        0,
        "nobody's failure"
    );
    crm.check().await;
}

#[tokio::test]
async fn the_end_of_the_grace_cancels_the_running_batch_too() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let gate = Gate::close(&database).await;
    let arguments = [
        "--poll-interval",
        "1h",
        "--workers",
        "1",
        "--shutdown-grace",
        "100ms",
    ];
    let mut service = Service::start(&database, &arguments).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;

    service.signal(Signal::SIGINT);

    assert_eq!(service.exit().await, Some(0));
    gate.open().await;
    no_worker_is_left(&database).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 0);
}

#[tokio::test]
async fn an_address_that_is_taken_ends_it_with_status_1() {
    let database = Database::new().await;
    let first = Service::start(&database, &NO_POLL).await;

    let output = crate::support::command(&["serve", "--http-addr", first.address()])
        .env("DATABASE_URL", database.connection_string())
        .output()
        .await
        .expect("it runs");

    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(stderr.contains("cannot serve HTTP"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

/// Waits until the server has noticed that the service is gone.
async fn no_worker_is_left(database: &Database) {
    eventually("the workers' sessions are gone", async || {
        database
            .value(
                "select not exists (
                   select from pg_stat_activity
                   where datname = current_database() and application_name like 'lead-mover worker%'
                 )",
                &[],
            )
            .await
    })
    .await;
}
