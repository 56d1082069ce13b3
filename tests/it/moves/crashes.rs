//! The service, a server process or the whole server is killed in the middle of a batch. The move goes on
//! without waiting for a poll or a lease, and no lead is moved twice.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use nix::sys::signal::Signal;
use uuid::Uuid;

use crate::support::{
    Crm, Database, Gate, InvariantWatcher, OwnServer, Service, eventually, kill_backend,
};

const ONE_WORKER: [&str; 4] = ["--poll-interval", "1h", "--workers", "1"];
const NOTIFIED: &str = "lead_mover_wakeups_total{reason=\"notify\"}";
const LISTENER_RECONNECTS: &str = "lead_mover_reconnects_total{connection=\"listener\"}";
const WORKER_RECONNECTS: &str = "lead_mover_reconnects_total{connection=\"worker\"}";

#[tokio::test]
async fn a_killed_services_batch_is_done_by_another_that_runs() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    database.note_writes().await;
    let gate = Gate::close(&database).await;
    let mut killed = Service::start(&database, &ONE_WORKER).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;
    let its_process = process_in_a_batch(&database).await;
    let _another = Service::start(&database, &ONE_WORKER).await;
    let watcher = InvariantWatcher::of(&database, run);

    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.exit().await, None);

    // The gate is still closed: the first batch can only have been undone.
    eventually("the other waits at the gate", async || {
        let processes = processes_in_a_batch(&database).await;
        processes.len() == 1 && processes[0] != its_process
    })
    .await;
    gate.open().await;
    completed_with_one_write_a_lead(&database, &crm, run, 300).await;
    watcher.report().await;
}

#[tokio::test]
async fn a_killed_services_batch_is_done_by_one_that_starts_later() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    database.note_writes().await;
    let gate = Gate::close(&database).await;
    let mut killed = Service::start(&database, &ONE_WORKER).await;
    crm.enqueue(run).await;
    gate.reached_by(1).await;
    let watcher = InvariantWatcher::of(&database, run);

    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.exit().await, None);
    let _another = Service::start(&database, &ONE_WORKER).await;
    gate.open().await;

    completed_with_one_write_a_lead(&database, &crm, run, 300).await;
    watcher.report().await;
}

#[tokio::test]
async fn of_two_services_in_the_middle_of_one_move_one_is_killed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3_000).await;
    database.note_writes().await;
    let gate = Gate::close(&database).await;
    let mut killed = Service::start(&database, &ONE_WORKER).await;
    let another = Service::start(&database, &ONE_WORKER).await;
    crm.enqueue(run).await;
    gate.reached_by(2).await;
    let watcher = InvariantWatcher::of(&database, run);

    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.exit().await, None);
    gate.open().await;

    completed_with_one_write_a_lead(&database, &crm, run, 3_000).await;
    watcher.report().await;
    assert_eq!(another.stop().await, Some(0));
    eventually("no session is left", async || {
        database.sessions_of_the_service().await == 0
    })
    .await;
}

#[tokio::test]
async fn after_a_killed_server_process_has_restarted_the_cluster_the_move_goes_on() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    let scene = Scene::in_a_batch(&database).await;

    kill_backend(process_in_a_batch(&database).await);

    eventually("the service is connected again", async || {
        scene.service.metric(LISTENER_RECONNECTS).await == 1.0
            && scene.service.metric(WORKER_RECONNECTS).await == 2.0
    })
    .await;
    scene.goes_on().await;
}

#[tokio::test]
async fn after_the_server_was_killed_and_is_back_the_move_goes_on() {
    let mut server = OwnServer::start();
    let database = server.database("crm").await;
    let scene = Scene::in_a_batch(&database).await;

    server.kill();
    eventually("/readyz reports that the database is lost", async || {
        let (status, body) = scene.service.readyz().await;
        status == 503 && body["database"] == "lost" && body["listener"] == "lost"
    })
    .await;
    server.restart();

    scene.goes_on().await;
}

/// A service with both workers in a batch, and an invariant watcher.
struct Scene<'db> {
    database: &'db Database,
    crm: Crm<'db>,
    run: Uuid,
    service: Service,
    watcher: InvariantWatcher,
    /// The session that holds it closed ends with the server, which opens it.
    _gate: Gate,
}

impl<'db> Scene<'db> {
    async fn in_a_batch(database: &'db Database) -> Self {
        let crm = database.crm().await;
        let run = crm.run_of(3_000).await;
        database.note_writes().await;
        let gate = Gate::close(database).await;
        let service = Service::start(database, &["--poll-interval", "1h"]).await;
        crm.enqueue(run).await;
        gate.reached_by(2).await;
        let watcher = InvariantWatcher::of(database, run);
        Self {
            database,
            crm,
            run,
            service,
            watcher,
            _gate: gate,
        }
    }

    /// The move is completed, and the next one is noticed at once, by the same service.
    async fn goes_on(self) {
        let service = self.service;
        service.ready().await;
        let database = self.database.reopened().await;
        let crm = self.crm.over(&database);
        completed_with_one_write_a_lead(&database, &crm, self.run, 3_000).await;
        self.watcher.report().await;

        let before = service.metric(NOTIFIED).await;
        let next = crm.run_of(10).await;
        crm.enqueue(next).await;
        eventually("the next is noticed by its notification", async || {
            service.metric(NOTIFIED).await > before && crm.status(next).await == "completed"
        })
        .await;
        crm.check().await;
        assert_eq!(service.stop().await, Some(0));
    }
}

async fn completed_with_one_write_a_lead(
    database: &Database,
    crm: &Crm<'_>,
    run: Uuid,
    leads: i64,
) {
    crm.completed(run).await;
    assert_eq!(crm.leads_at(run, crm.target).await, leads);
    assert_eq!(database.writes().await, (leads, leads));
    crm.check().await;
}

async fn process_in_a_batch(database: &Database) -> i32 {
    let processes = processes_in_a_batch(database).await;
    *processes.first().expect("a worker is in a batch")
}

/// The server processes of workers that wait at a gate.
async fn processes_in_a_batch(database: &Database) -> Vec<i32> {
    database
        .value(
            "select coalesce(array_agg(l.pid), '{}')
             from pg_locks l
             join pg_stat_activity a on a.pid = l.pid
             where a.datname = current_database() and a.application_name like 'lead-mover worker%'
               and not l.granted",
            &[],
        )
        .await
}
