//! The causes of all alerts at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::{AlertDelay, Prometheus};
use crate::dashboards::text;
use crate::support::{Crm, Database, Faults, Proxy, Service, Session, eventually};

const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];

/// One of twenty leads is rejected, and all of a run that has one.
async fn reject_leads(database: &Database, crm: &Crm<'_>) {
    database
        .run(
            "create function public.reject() returns trigger language plpgsql as
               $$ begin raise exception 'no' using errcode = 'check_violation'; end $$;
             create trigger reject before update on public.leads
               for each row when (old.name = 'Lead 1') execute function public.reject()",
        )
        .await;
    for (leads, status) in [(20, "completed_with_errors"), (1, "failed")] {
        let run = crm.run_of(leads).await;
        crm.enqueue(run).await;
        eventually("the move has ended", async || {
            crm.status(run).await == status
        })
        .await;
    }
}

/// Two moves that no worker can take, because another session has them locked. One was queued an hour ago, and the
/// message of the other is gone.
async fn queue_and_hold(database: &Database, crm: &Crm<'_>) -> Session {
    let (run, stalled) = (crm.run_of(10).await, crm.run_of(10).await);
    let (funnel, column) = (crm.target.funnel, crm.target.column);
    let holder = database.open().await;
    holder
        .batch_execute(&format!(
            "begin;
             select public.queue_lead_migration('{run}', '{funnel}', '{column}');
             select public.queue_lead_migration('{stalled}', '{funnel}', '{column}');
             select pg_advisory_lock(lead_mover.lock_key(m.migration_id))
             from lead_mover.moves m where m.run_id in ('{run}', '{stalled}');
             delete from pgmq.q_lead_migration_queue where message ->> 'run_id' = '{stalled}';
             update pgmq.q_lead_migration_queue
             set enqueued_at = now() - interval '1 hour', vt = now() - interval '1 hour';
             commit"
        ))
        .await
        .expect("it is queued");
    holder
}

/// What fires now of that name; all that does where there is none.
async fn firing(prometheus: &Prometheus, name: Option<&str>) -> Vec<Value> {
    let mut alerts = prometheus.alerts().await;
    alerts.retain(|alert| {
        alert["state"] == "firing" && name.is_none_or(|name| alert["labels"]["alertname"] == name)
    });
    alerts
}

/// The values of a label of those alerts.
fn labels(alerts: &[Value], label: &str) -> BTreeSet<String> {
    let labels = alerts.iter().map(|alert| text(&alert["labels"][label]));
    labels.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn each_alert_fires_when_its_cause_happens_and_only_for_those_affected() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let proxy = Proxy::before(&database.connection_string()).await;
    proxy.set(Faults {
        deaf: true,
        ..Faults::default()
    });
    let deaf = ["--database-listen-url", &proxy.connection_string()];
    let deaf = Service::start_unready(&database.connection_string(), &deaf).await;
    let lost = Service::start_unready("postgresql://nobody@127.0.0.1:1/none", &NO_POLL).await;
    let down = Service::start(&database, &NO_POLL).await;
    let prometheus = Prometheus::watching(&[&deaf, &lost, &down], AlertDelay::None).await;
    eventually("it is seen that no move has failed yet", async || {
        let failed = "job_status:lead_mover_migrations:max{status=\"failed\"} == 0";
        prometheus.ask(failed).await.len() == 1
    })
    .await;

    let gone = down.address().to_owned();
    // Before anything happens: what the service counts after it was last read is lost.
    assert_eq!(down.stop().await, Some(0));
    reject_leads(&database, &crm).await;
    let holder = queue_and_hold(&database, &crm).await;

    let rules = prometheus.rules("alert").await;
    let names: BTreeSet<&str> = rules.iter().map(|rule| text(&rule["name"])).collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        eventually(&format!("{name} fires"), async || {
            !firing(&prometheus, Some(name)).await.is_empty()
        })
        .await;
    }
    for (name, instances) in [
        ("LeadMoverDown", vec![gone.as_str()]),
        ("LeadMoverDatabaseLost", vec![lost.address()]),
        (
            "LeadMoverListenerDeaf",
            vec![deaf.address(), lost.address()],
        ),
    ] {
        let expected = instances.into_iter().map(ToOwned::to_owned).collect();
        eventually(
            &format!("{name} fires for {expected:?} alone"),
            async || labels(&firing(&prometheus, Some(name)).await, "instance") == expected,
        )
        .await;
    }
    for alert in firing(&prometheus, None).await {
        for (annotation, value) in alert["annotations"].as_object().expect("annotations") {
            let value = text(value);
            // What a template becomes that uses a label that does not exist.
            let broken = ["<no value>", "<error", "%!", "NaN"];
            assert!(
                !value.is_empty() && !broken.iter().any(|it| value.contains(it)),
                "{annotation} of {alert}"
            );
        }
    }
    drop(holder);
}
