//! The form of the dashboards: what Grafana's own dashboard linter requires, and what makes panels readable.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Dashboard, dashboards, list, text};

/// Grafana's names of the units that the panels use; it shows a number bare when it knows no such unit.
const UNITS: [&str; 5] = ["none", "locale", "s", "cps", "percentunit"];

#[test]
fn each_dashboard_has_its_own_id_and_cannot_be_edited_in_the_browser() {
    let dashboards = dashboards();
    for key in ["uid", "title"] {
        let values: BTreeSet<&str> = dashboards.iter().map(|it| text(&it.json[key])).collect();
        assert_eq!(values.len(), dashboards.len(), "{key}: {values:?}");
    }
    for Dashboard { path, json } in &dashboards {
        assert_eq!(
            *path,
            format!("grafana/dashboards/{}.json", text(&json["uid"]))
        );
        assert_eq!(json["id"], Value::Null, "{path}: Grafana gives the number");
        assert_eq!(json["editable"], false, "{path}");
        assert_eq!(json["tags"], serde_json::json!(["lead-mover"]), "{path}");
        // What Grafana 10 writes: newer ones upgrade it, older ones do not know newer versions.
        assert_eq!(json["schemaVersion"], 39, "{path}");
        assert!(!text(&json["description"]).is_empty(), "{path}");
    }
}

#[test]
fn each_dashboard_has_a_time_range_and_refreshes_itself() {
    for Dashboard { path, json } in dashboards() {
        assert!(text(&json["time"]["from"]).starts_with("now-"), "{path}");
        assert_eq!(json["time"]["to"], "now", "{path}");
        let choices = list(&json["timepicker"]["refresh_intervals"]);
        assert!(choices.contains(&json["refresh"]), "{path}");
    }
}

#[test]
fn each_panel_has_a_title_a_description_a_unit_and_a_number_of_its_own() {
    for dashboard in dashboards() {
        let panels = dashboard.panels();
        let numbers: BTreeSet<u64> = panels.iter().filter_map(|it| it["id"].as_u64()).collect();
        assert_eq!(numbers.len(), panels.len(), "{}", dashboard.path);
        let titles: BTreeSet<&str> = panels.iter().map(|it| text(&it["title"])).collect();
        assert!(!titles.contains(""), "{}", dashboard.path);
        for panel in dashboard.showing_panels() {
            let title = text(&panel["title"]);
            let description = text(&panel["description"]);
            assert!(description.ends_with('.'), "{title}: {description:?}");
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            assert!(UNITS.contains(&unit), "{title}: unit {unit:?}");
            assert!(!list(&panel["targets"]).is_empty(), "{title} shows nothing");
        }
    }
}

#[test]
fn each_panel_has_thresholds_that_begin_somewhere_and_rise() {
    for dashboard in dashboards() {
        for panel in dashboard.showing_panels() {
            let steps = list(&panel["fieldConfig"]["defaults"]["thresholds"]["steps"]);
            let title = &panel["title"];
            assert!(!steps.is_empty(), "{title}");
            assert_eq!(
                steps[0]["value"],
                Value::Null,
                "{title}: the first has no value"
            );
            let values: Vec<f64> = steps[1..]
                .iter()
                .filter_map(|it| it["value"].as_f64())
                .collect();
            assert_eq!(values.len(), steps.len() - 1, "{title}");
            assert!(values.is_sorted(), "{title}: {values:?}");
        }
    }
}

#[test]
fn no_two_panels_overlap_and_none_is_wider_than_the_page() {
    for dashboard in dashboards() {
        let mut taken = BTreeSet::new();
        for panel in dashboard.panels() {
            let place = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
            let (left, top) = (place("x"), place("y"));
            assert!(left + place("w") <= 24, "{}", panel["title"]);
            for cell in
                (left..left + place("w")).flat_map(|x| (top..top + place("h")).map(move |y| (x, y)))
            {
                assert!(taken.insert(cell), "{} lies on another", panel["title"]);
            }
        }
        let height = taken.iter().map(|(_, y)| y + 1).max().expect("panels");
        let area = u64::try_from(taken.len()).expect("a small number");
        assert_eq!(area, 24 * height, "{} has a hole", dashboard.path);
    }
}

#[test]
fn each_query_of_a_panel_has_a_name_of_its_own_and_a_legend() {
    for dashboard in dashboards() {
        for panel in dashboard.showing_panels() {
            let targets = list(&panel["targets"]);
            let names: BTreeSet<&str> = targets.iter().map(|it| text(&it["refId"])).collect();
            assert!(!names.contains(""), "{}", panel["title"]);
            assert_eq!(names.len(), targets.len(), "{}", panel["title"]);
            for target in targets {
                let query = format!("{}{}", text(&target["expr"]), text(&target["rawSql"]));
                assert!(!query.is_empty(), "{} has no query", panel["title"]);
                let is_sql = target["rawSql"].is_string();
                assert!(
                    is_sql || !text(&target["legendFormat"]).is_empty(),
                    "{query}"
                );
            }
        }
    }
}
