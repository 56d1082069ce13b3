//! A listener whose connection is gone without a word.

use crate::support::{Database, Faults, Proxy, Service, eventually};

const NOTIFIED: &str = "lead_mover_wakeups_total{reason=\"notify\"}";

#[tokio::test]
async fn a_listener_that_hears_nothing_any_more_is_found_out_and_replaced() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    let listen_url = proxy.connection_string();
    let service = Service::start(
        &database,
        &[
            "--poll-interval",
            "1h",
            "--database-listen-url",
            &listen_url,
            "--timings",
            "heartbeat=300ms,notify=1s,degraded_poll=200ms,reconnect=300ms",
        ],
    )
    .await;

    proxy.set(Faults {
        swallow_to_server: true,
        swallow_to_client: true,
        ..Faults::default()
    });
    eventually("the listener is found out", async || {
        service.readyz().await.1["listener"] == "lost"
    })
    .await;
    assert_eq!(service.readyz().await.0, 503);
    assert!(service.metric("lead_mover_listener_connected").await < 0.5);
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    crm.completed(run).await;
    assert!(service.metric(NOTIFIED).await < 0.5);

    proxy.set(Faults::default());
    proxy.cut();
    service.ready().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    eventually("it is noticed by its notification", async || {
        service.metric(NOTIFIED).await > 0.5
    })
    .await;
    crm.completed(run).await;
    crm.check().await;
}
