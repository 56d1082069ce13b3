//! How `lead-mover serve` stops: by signals, the real binary in the middle of a real batch.

use nix::sys::signal::Signal;

use crate::support::{Database, Gate, Service, eventually};

#[tokio::test]
async fn sigterm_lets_the_running_batch_finish_and_begins_no_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let gate = Gate::close(&database).await;
    let service = Service::start(&database, &["--poll-interval", "1h", "--workers", "1"]).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;

    service.ask_to_stop().await;
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

    service.ask_to_stop().await;
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
