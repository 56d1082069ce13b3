//! `lead-mover serve` ends without delay where nothing is to be waited for: the grace is an hour in all of
//! these, and no test waits that long.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::TcpListener;

use crate::support::{Database, Faults, Proxy, Service, eventually};

const LONG_GRACE: [&str; 4] = ["--poll-interval", "1h", "--shutdown-grace", "1h"];
/// Two workers, the listener and the sampler.
const SESSIONS: i64 = 4;

#[tokio::test]
async fn while_it_has_nothing_to_do() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let database = Database::new().await;
        let mut service = Service::start(&database, &LONG_GRACE).await;
        eventually("all its sessions are open", async || {
            database.sessions_of_the_service().await == SESSIONS
        })
        .await;

        service.signal(signal);

        assert_eq!(service.exit().await, Some(0));
        no_session_is_left(&database).await;
    }
}

#[tokio::test]
async fn while_it_waits_before_the_next_try_to_connect() {
    let mut service = Service::start_unready("postgresql://u@127.0.0.1:1/x", &LONG_GRACE).await;
    eventually("several tries have failed", async || {
        service
            .metric("lead_mover_errors_total{kind=\"connection\"}")
            .await
            > 5.0
    })
    .await;

    service.signal(Signal::SIGTERM);

    assert_eq!(service.exit().await, Some(0));
}

#[tokio::test]
async fn while_it_connects_to_a_server_that_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("it has one");
    let url = format!("postgresql://u@{address}/x?connect_timeout=3600");
    let mut service = Service::start_unready(&url, &LONG_GRACE).await;
    let mut taken = Vec::new();
    for _ in 0..SESSIONS {
        taken.push(silent.accept().await.expect("it connects"));
    }

    service.signal(Signal::SIGTERM);

    assert_eq!(service.exit().await, Some(0));
}

#[tokio::test]
async fn while_a_session_that_has_just_opened_says_nothing_any_more() {
    let database = Database::new().await;
    let (mut service, _proxy) = silenced_as_it_connects(&database).await;

    service.signal(Signal::SIGTERM);

    assert_eq!(service.exit().await, Some(0));
}

#[tokio::test]
async fn and_it_does_not_wait_for_such_a_session_for_ever() {
    let database = Database::new().await;
    let (service, proxy) = silenced_as_it_connects(&database).await;

    proxy.set(Faults::default());

    service.ready().await;
}

/// A service whose sessions have all been opened, and have not been able to ask anything since.
async fn silenced_as_it_connects(database: &Database) -> (Service, Proxy) {
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        delay: Duration::from_secs(1),
        ..Faults::default()
    });
    let timings = [
        &LONG_GRACE[..],
        &[
            "--timings",
            "ping=3s,notify=3s,sample_response=3s,reconnect=300ms",
        ],
    ]
    .concat();
    let service = Service::start_unready(&proxy.connection_string(), &timings).await;
    eventually("the server has opened its sessions", async || {
        database.sessions_of_the_service().await == SESSIONS
    })
    .await;
    proxy.set(Faults {
        swallow_to_server: true,
        ..Faults::default()
    });
    // It notices first, and asks when the workers ask.
    eventually("the listener has not been answered", async || {
        service.readyz().await.1["listener"] == "lost"
    })
    .await;
    (service, proxy)
}

#[tokio::test]
async fn while_a_batch_waits_for_a_table_that_stays_locked() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let mut service = Service::start(&database, &LONG_GRACE).await;
    let person = database.open().await;
    let holding = "begin; lock table public.runs in share row exclusive mode; lock table public.leads in exclusive mode";
    person.batch_execute(holding).await.expect("it is locked");
    crm.enqueue(run).await;
    database.blocked("process_batch").await;

    service.signal(Signal::SIGTERM);

    assert_eq!(service.exit().await, Some(0));
    no_session_is_left(&database).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 0);
    crm.check().await;
    person.batch_execute("rollback").await.expect("it is free");
    let another = Service::start(&database, &LONG_GRACE).await;
    crm.completed(run).await;
    crm.check().await;
    assert_eq!(another.stop().await, Some(0));
}

async fn no_session_is_left(database: &Database) {
    eventually("no session is left", async || {
        database.sessions_of_the_service().await == 0
    })
    .await;
}
