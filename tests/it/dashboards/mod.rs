//! Grafana's dashboards: their form, and their queries to Prometheus and PostgreSQL.

mod expressions;
mod form;
mod queries;
mod reader;
mod variables;

use serde_json::Value;

use crate::support::files_below;

/// One file of `grafana/dashboards`.
pub(crate) struct Dashboard {
    pub(crate) path: String,
    pub(crate) json: Value,
}

/// All of them.
pub(crate) fn dashboards() -> Vec<Dashboard> {
    let dashboards: Vec<Dashboard> = files_below("grafana/dashboards", "json")
        .into_iter()
        .map(|file| Dashboard {
            json: serde_json::from_str(&file.text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.path)),
            path: file.path,
        })
        .collect();
    assert_eq!(dashboards.len(), 2, "the dashboards are in another folder");
    dashboards
}

/// Those whose data source is of that type.
pub(crate) fn dashboards_of(data_source: &str) -> Vec<Dashboard> {
    let mut dashboards = dashboards();
    dashboards.retain(|dashboard| dashboard.variable("datasource")["query"] == data_source);
    assert!(!dashboards.is_empty(), "none uses {data_source}");
    dashboards
}

impl Dashboard {
    /// All panels, rows too.
    pub(crate) fn panels(&self) -> &[Value] {
        list(&self.json["panels"])
    }

    /// Those that show something.
    pub(crate) fn showing_panels(&self) -> impl Iterator<Item = &Value> {
        let panels = self.panels().iter();
        panels.filter(|panel| panel["type"] != "row")
    }

    pub(crate) fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    pub(crate) fn variable(&self, name: &str) -> &Value {
        self.variables()
            .iter()
            .find(|variable| variable["name"] == name)
            .unwrap_or_else(|| panic!("{} has no variable {name}", self.path))
    }

    /// A panel's queries, with the panel's title to name them by.
    pub(crate) fn targets(&self) -> Vec<(&str, &Value)> {
        self.showing_panels()
            .flat_map(|panel| {
                let targets = list(&panel["targets"]).iter();
                targets.map(|target| (text(&panel["title"]), target))
            })
            .collect()
    }
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
