//! The queries of the dashboards to Prometheus. Another test has Prometheus run them.

use std::collections::BTreeSet;

use super::{dashboards_of, list, text};
use crate::support::{code_of, words};

/// `function(metric{matchers}[range])`; a plain gauge has neither function nor range.
#[derive(Debug)]
struct Selector<'expr> {
    metric: &'expr str,
    matchers: &'expr str,
    range: Option<&'expr str>,
    function: &'expr str,
}

/// Those of an expression. None has a brace in its matchers.
fn selectors(expression: &str) -> Vec<Selector<'_>> {
    let is_of_a_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let last_word = |text: &'_ str| text.rfind(|it| !is_of_a_word(it)).map_or(0, |end| end + 1);
    expression
        .match_indices('{')
        .map(|(brace, _)| {
            let start = last_word(&expression[..brace]);
            let (matchers, after) = expression[brace + 1..]
                .split_once('}')
                .expect("it is closed");
            let before = expression[..start].strip_suffix('(').unwrap_or_default();
            Selector {
                metric: &expression[start..brace],
                matchers,
                range: after
                    .strip_prefix('[')
                    .and_then(|after| Some(after.split_once(']')?.0)),
                function: &before[last_word(before)..],
            }
        })
        .collect()
}

/// Each expression with the title of its panel.
fn expressions() -> Vec<(String, String)> {
    let expressions: Vec<_> = dashboards_of("prometheus")
        .iter()
        .flat_map(|dashboard| {
            let targets = dashboard.targets().into_iter();
            targets
                .map(|(title, target)| (title.to_owned(), text(&target["expr"]).to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(expressions.len() > 20, "only {}", expressions.len());
    expressions
}

/// The names in `metrics.rs`, which names all of them.
fn metrics() -> BTreeSet<String> {
    words(&code_of("metrics"))
        .into_iter()
        .filter(|word| word.starts_with("lead_mover_"))
        .map(ToOwned::to_owned)
        .collect()
}

/// A histogram is queried by its buckets.
fn metric_of(series: &str) -> &str {
    series.strip_suffix("_bucket").unwrap_or(series)
}

#[test]
fn each_metric_is_on_a_panel_and_no_panel_uses_another() {
    let mut shown = BTreeSet::new();
    for (title, expression) in expressions() {
        for word in words(&expression) {
            assert!(
                !word.starts_with("lead_mover_") || expression.contains(&format!("{word}{{")),
                "{title}: {word} without matchers"
            );
        }
        for selector in selectors(&expression) {
            // Prometheus' own: whether it was answered.
            if selector.metric != "up" {
                shown.insert(metric_of(selector.metric).to_owned());
            }
        }
    }
    assert_eq!(shown, metrics());
}

#[test]
fn each_query_is_for_the_chosen_jobs_and_instances() {
    for (title, expression) in expressions() {
        for selector in selectors(&expression) {
            for matcher in ["job=~\"$job\"", "instance=~\"$instance\""] {
                assert!(selector.matchers.contains(matcher), "{title}: {selector:?}");
            }
        }
    }
}

#[test]
fn counters_are_shown_as_rates_or_increases_and_summed_over_the_services() {
    let mut counters = 0;
    for (title, expression) in expressions() {
        for selector in selectors(&expression) {
            let is_counter = ["_total", "_bucket"]
                .iter()
                .any(|it| selector.metric.ends_with(it));
            if !is_counter {
                continue;
            }
            counters += 1;
            let (function, range) = (selector.function, selector.range);
            let is_rate = function == "rate" && range == Some("$__rate_interval");
            // Of the whole time range there is an increase too, for a single number.
            let is_increase = function == "increase"
                && [Some("$__rate_interval"), Some("$__range")].contains(&range);
            assert!(is_rate || is_increase, "{title}: {selector:?}");
            let call = format!("{function}({}{{", selector.metric);
            for (start, _) in expression.match_indices(&call) {
                let before = &expression[..start];
                let is_summed = before.ends_with("sum(")
                    || before.ends_with(") (") && before.contains("sum by (");
                assert!(is_summed, "{title}: {expression}");
            }
        }
    }
    assert!(counters > 10, "only {counters}");
}

/// Each service of a job reads queue and ledger from the database itself: their sum would be a multiple.
#[test]
fn what_every_service_samples_is_counted_once() {
    let sampled = [
        "lead_mover_queue_depth",
        "lead_mover_queue_oldest_message_age_seconds",
        "lead_mover_leads_remaining",
        "lead_mover_migrations",
        "lead_mover_migrations_stalled",
    ];
    let mut seen = BTreeSet::new();
    for (title, expression) in expressions() {
        for selector in selectors(&expression) {
            let Some(metric) = sampled.iter().find(|it| **it == selector.metric) else {
                continue;
            };
            seen.insert(*metric);
            assert_eq!(selector.range, None, "{title}: {selector:?}");
            for (start, _) in expression.match_indices(&format!("{metric}{{")) {
                let before = &expression[..start];
                let once = ["max(", "max by (job) (", "max by (job, status) ("];
                assert!(
                    once.iter().any(|it| before.ends_with(it)),
                    "{title}: {expression}"
                );
            }
        }
    }
    assert_eq!(seen, BTreeSet::from(sampled));
}

#[test]
fn percentiles_are_grouped_by_bucket() {
    let mut percentiles = 0;
    for (title, expression) in expressions() {
        if expression.contains("_bucket{") {
            assert!(
                expression.contains("sum by (le) ("),
                "{title}: {expression}"
            );
            percentiles += expression.matches("histogram_quantile(0.").count();
        }
    }
    assert_eq!(percentiles, 6, "p50, p95, p99 of two histograms");
}

/// A query for a value that the label `outcome` does not have returns nothing, and no error.
#[test]
fn each_outcome_in_a_query_or_a_colour_is_one_that_the_service_counts() {
    let mut named = BTreeSet::new();
    for (_, expression) in expressions() {
        for selector in selectors(&expression) {
            for matcher in selector.matchers.split(", ") {
                if let Some(values) = matcher.strip_prefix("outcome") {
                    let values = values.trim_matches(['=', '~', '!', '"']);
                    named.extend(values.split('|').map(ToOwned::to_owned));
                }
            }
        }
    }
    for dashboard in dashboards_of("prometheus") {
        for panel in dashboard.showing_panels() {
            let by_outcome =
                |target: &serde_json::Value| text(&target["legendFormat"]) == "{{outcome}}";
            if list(&panel["targets"]).iter().any(by_outcome) {
                let colours = list(&panel["fieldConfig"]["overrides"]);
                named.extend(
                    colours
                        .iter()
                        .map(|it| text(&it["matcher"]["options"]).to_owned()),
                );
            }
        }
    }
    let counted = BTreeSet::from(["failed", "message_archived", "move_failed", "moved"]);
    assert_eq!(
        named.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        counted
    );
}
