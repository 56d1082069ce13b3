//! What can be chosen at the top of a dashboard.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Dashboard, dashboards, dashboards_of, text};

#[test]
fn every_query_uses_the_chosen_data_source() {
    for dashboard in dashboards() {
        let variable = dashboard.variable("datasource");
        assert_eq!(variable["type"], "datasource", "{}", dashboard.path);
        assert_eq!(variable["label"], "Data source", "{}", dashboard.path);
        let mut references = Vec::new();
        collect("datasource", &dashboard.json, &mut references);
        assert!(references.len() > 10, "{}", dashboard.path);
        for reference in references {
            let is_chosen =
                reference["uid"] == "${datasource}" && reference["type"] == variable["query"];
            // Annotations made by hand are Grafana's own.
            let is_grafana = reference["uid"] == "-- Grafana --" && reference["type"] == "grafana";
            assert!(is_chosen || is_grafana, "{}: {reference}", dashboard.path);
        }
        for panel in dashboard.showing_panels() {
            assert!(panel["datasource"].is_object(), "{}", panel["title"]);
        }
    }
}

#[test]
fn job_and_instance_are_chosen_and_several_or_all_can_be() {
    for dashboard in dashboards_of("prometheus") {
        for (name, label) in [("job", "Job"), ("instance", "Instance")] {
            let variable = dashboard.variable(name);
            for (key, value) in [
                ("type", json!("query")),
                ("label", json!(label)),
                ("multi", json!(true)),
                ("includeAll", json!(true)),
                ("allValue", json!(".+")),
            ] {
                assert_eq!(variable[key], value, "{name}: {key}");
            }
            assert_eq!(variable["current"]["value"], json!(["$__all"]), "{name}");
            let query = text(&variable["query"]["query"]);
            assert!(
                query.starts_with("label_values(lead_mover_build_info"),
                "{query}"
            );
        }
    }
}

#[test]
fn the_choices_are_queried_again_when_the_time_range_changes() {
    const ON_TIME_RANGE_CHANGE: u8 = 2;
    for dashboard in dashboards() {
        for variable in dashboard.variables() {
            if variable["type"] == "query" {
                assert_eq!(
                    variable["refresh"], ON_TIME_RANGE_CHANGE,
                    "{}",
                    variable["name"]
                );
            }
        }
    }
}

#[test]
fn each_variable_that_is_used_is_there_and_each_that_is_there_is_used() {
    for dashboard in dashboards() {
        let there: BTreeSet<&str> = dashboard
            .variables()
            .iter()
            .map(|it| text(&it["name"]))
            .collect();
        let used = used_variables(&dashboard);
        assert_eq!(
            used.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            there,
            "{}",
            dashboard.path
        );
    }
}

/// Grafana's own, which begin with two underscores, are left out.
fn used_variables(dashboard: &Dashboard) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in [&dashboard.json["panels"], &dashboard.json["templating"]] {
        let text = part.to_string();
        for (start, _) in text.match_indices('$') {
            let name: String = text[start + 1..]
                .trim_start_matches('{')
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            // The end of a pattern has none.
            if !name.is_empty() && !name.starts_with("__") {
                names.insert(name);
            }
        }
    }
    names
}

/// Every value of that key, at any depth.
fn collect<'json>(key: &str, value: &'json Value, found: &mut Vec<&'json Value>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                // A variable's own name is no reference.
                if name == key && field.is_object() {
                    found.push(field);
                }
                collect(key, field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(key, item, found)),
        _ => {}
    }
}
