//! A service that is halted for a while (SIGSTOP, a suspended machine) and goes on (SIGCONT).
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use nix::sys::signal::Signal;

use crate::support::{Database, Gate, InvariantWatcher, Service, eventually};

const ONE_WORKER: [&str; 4] = ["--poll-interval", "1h", "--workers", "1"];

#[tokio::test]
async fn what_it_missed_is_done_by_another_or_afterwards() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let halted = Service::start(&database, &ONE_WORKER).await;
    halted.signal(Signal::SIGSTOP);

    let another = Service::start(&database, &ONE_WORKER).await;
    let meanwhile = crm.run_of(250).await;
    crm.enqueue(meanwhile).await;
    crm.completed(meanwhile).await;
    assert_eq!(another.stop().await, Some(0));
    database
        .run("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'lead-mover listener'")
        .await;
    let missed = crm.run_of(250).await;
    crm.enqueue(missed).await;
    halted.signal(Signal::SIGCONT);

    crm.completed(missed).await;
    halted.ready().await;
    let reconnects = "lead_mover_reconnects_total{connection=\"listener\"}";
    assert_eq!(halted.metric(reconnects).await, 1.0);
    assert_eq!(halted.metric("lead_mover_leads_moved_total").await, 250.0);
    crm.check().await;
    assert_eq!(halted.stop().await, Some(0));
}

#[tokio::test]
async fn halted_in_a_batch_it_keeps_nobody_from_going_on() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(500).await;
    database.note_writes().await;
    let gate = Gate::close(&database).await;
    let halted = Service::start(&database, &ONE_WORKER).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;
    let watcher = InvariantWatcher::of(&database, run);
    halted.signal(Signal::SIGSTOP);

    let another = Service::start(&database, &ONE_WORKER).await;
    gate.open().await;
    crm.completed(run).await;
    halted.signal(Signal::SIGCONT);

    eventually("it tells of the batch that it was in", async || {
        halted.metric("lead_mover_leads_moved_total").await == 100.0
    })
    .await;
    halted.ready().await;
    assert_eq!(database.writes().await, (500, 500));
    watcher.report().await;
    crm.check().await;
    assert_eq!(another.stop().await, Some(0));
    let next = crm.run_of(10).await;
    crm.enqueue(next).await;
    crm.completed(next).await;
}
