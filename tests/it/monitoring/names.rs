//! Code, service and docs/metrics.md name the same metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::path;
use crate::support::{Database, Service, code_of, words};

/// Name and kind of each metric.
async fn served() -> BTreeMap<String, String> {
    let database = Database::new().await;
    let service = Service::start(&database, &[]).await;
    let metrics = service.metrics().await;
    let described = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    described
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect()
}

/// The same, from the table: `| name{labels} | kind | …`.
fn documented() -> BTreeMap<String, String> {
    let text = fs::read_to_string(path("docs/metrics.md")).expect("it is there");
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `lead_mover_")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`');
            let name = name.split('{').next()?;
            Some((format!("lead_mover_{name}"), cells.next()?.to_owned()))
        })
        .collect()
}

#[tokio::test]
async fn what_the_code_names_is_served_from_the_start_and_documented() {
    let code = code_of("metrics");
    let named: BTreeSet<&str> = words(&code)
        .into_iter()
        .filter(|word| word.starts_with("lead_mover_"))
        .collect();
    let served = served().await;
    let served_names: BTreeSet<&str> = served.keys().map(String::as_str).collect();
    assert_eq!(served_names, named);

    assert_eq!(documented(), served);
}

/// A table that a row was forgotten in looks complete.
#[test]
fn the_documentation_of_the_metrics_names_every_alert() {
    let alerts = fs::read_to_string(path("prometheus/rules/alerts.yml")).expect("it is there");
    let text = fs::read_to_string(path("docs/metrics.md")).expect("it is there");
    for alert in alerts
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- alert: "))
    {
        assert!(text.contains(&format!("`{alert}`")), "{alert}");
    }
}

/// The table has the values of a label that the service has.
#[tokio::test]
async fn the_documentation_of_the_metrics_names_every_value_of_a_label() {
    let database = Database::new().await;
    let service = Service::start(&database, &[]).await;
    let metrics = service.metrics().await;
    let text = fs::read_to_string(path("docs/metrics.md")).expect("it is there");
    let mut values = 0;
    for label in ["outcome", "reason", "connection", "kind"] {
        for part in metrics.split(&format!("{label}=\"")).skip(1) {
            let (value, _) = part.split_once('"').expect("it is closed");
            let row = text
                .lines()
                .find(|line| line.contains(&format!("`{label}`: ")));
            let row = row.expect("a row has the label");
            assert!(row.contains(&format!("`{value}`")), "{label}: {value}");
            values += 1;
        }
    }
    assert!(values >= 16, "only {values}");
}
