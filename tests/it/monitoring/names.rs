//! Code, service and README name the same metrics.

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

/// The same, as the table says: `| name{labels} | kind | …`.
fn told(readme: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path(readme)).expect("it is there");
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
async fn what_the_code_names_is_served_from_the_start_and_stands_in_both_readmes() {
    let code = code_of("metrics");
    let named: BTreeSet<&str> = words(&code)
        .into_iter()
        .filter(|word| word.starts_with("lead_mover_"))
        .collect();
    let served = served().await;
    let served_names: BTreeSet<&str> = served.keys().map(String::as_str).collect();
    assert_eq!(served_names, named);

    for readme in ["README.md", "README.pt-BR.md"] {
        let mut told = told(readme);
        for kind in told.values_mut() {
            // In Portuguese.
            *kind = kind
                .replace("contador", "counter")
                .replace("histograma", "histogram");
        }
        assert_eq!(told, served, "{readme}");
    }
}

/// A table of a language that a row was forgotten in looks complete.
#[test]
fn both_readmes_name_every_alert() {
    let alerts = fs::read_to_string(path("prometheus/rules/alerts.yml")).expect("it is there");
    for readme in ["README.md", "README.pt-BR.md"] {
        let text = fs::read_to_string(path(readme)).expect("it is there");
        for alert in alerts
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("- alert: "))
        {
            assert!(text.contains(&format!("`{alert}`")), "{readme}: {alert}");
        }
    }
}
