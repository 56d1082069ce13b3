//! Two services share the work, without errors.

use std::collections::BTreeSet;

use super::server::{AlertDelay, Prometheus, Sample};
use crate::dashboards::{dashboards_of, text};
use crate::support::{Crm, Database, Service, eventually};

const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];

async fn move_some(crm: &Crm<'_>) {
    let mut runs = Vec::new();
    for leads in [10, 478, 514, 2_500] {
        let run = crm.run_of(leads).await;
        crm.enqueue(run).await;
        runs.push(run);
    }
    for run in runs {
        crm.completed(run).await;
    }
}

fn has_a_number(samples: &[Sample]) -> bool {
    samples.iter().any(|sample| !sample.value.is_nan())
}

/// The expression with its variables as Grafana sets them when everything is chosen.
fn as_grafana_asks(expression: &str) -> String {
    let mut expanded = expression.to_owned();
    for (variable, value) in [
        ("$__rate_interval", "5m"),
        ("$__range", "1h"),
        ("$job", "lead-mover"),
        ("$instance", ".+"),
    ] {
        expanded = expanded.replace(variable, value);
    }
    assert!(!expanded.contains('$'), "an unknown variable: {expanded}");
    expanded
}

#[tokio::test]
async fn every_panel_and_every_recording_rule_shows_something_and_no_alert_fires() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let first = Service::start(&database, &NO_POLL).await;
    let second = Service::start(&database, &NO_POLL).await;
    let prometheus = Prometheus::watching(&[&first, &second], AlertDelay::AsWritten).await;

    move_some(&crm).await;

    let mut queries = 0;
    for dashboard in dashboards_of("prometheus") {
        for (title, target) in dashboard.targets() {
            let expression = as_grafana_asks(text(&target["expr"]));
            eventually(
                &format!("{title} shows a number: {expression}"),
                async || has_a_number(&prometheus.ask(&expression).await),
            )
            .await;
            queries += 1;
        }
        for variable in dashboard.variables() {
            if variable["type"] == "query" {
                let (metric, label) = label_values(text(&variable["query"]["query"]));
                let values: BTreeSet<String> = prometheus
                    .ask(&as_grafana_asks(metric))
                    .await
                    .iter()
                    .map(|sample| text(&sample.labels[label]).to_owned())
                    .collect();
                assert!(!values.is_empty() && !values.contains(""), "{variable}");
            }
        }
    }
    assert!(queries > 20, "only {queries}");

    for rule in prometheus.rules("record").await {
        let name = text(&rule["name"]).to_owned();
        eventually(&format!("{name} has a number"), async || {
            has_a_number(&prometheus.ask(&name).await)
        })
        .await;
    }
    eventually(
        "the queue is seen to be empty and no alert fires",
        async || prometheus.alerts().await.is_empty(),
    )
    .await;
    let fired = prometheus
        .ask("max_over_time(ALERTS{alertstate=\"firing\"}[1h])")
        .await;
    assert!(fired.is_empty(), "{fired:?}");
}

/// The metric and the label of `label_values(metric, label)`.
fn label_values(query: &str) -> (&str, &str) {
    query
        .strip_prefix("label_values(")
        .and_then(|query| query.strip_suffix(')')?.rsplit_once(", "))
        .unwrap_or_else(|| panic!("not label_values: {query}"))
}
