//! The results of a part: number, median, minimum and maximum, as a table and as JSON.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// All results of one part.
pub(crate) struct Figures {
    /// The conditions of the measurement, in a few words.
    conditions: String,
    figures: Vec<Figure>,
}

struct Figure {
    what: String,
    unit: &'static str,
    /// Sorted.
    values: Vec<f64>,
}

impl Figures {
    pub(crate) fn on(conditions: impl Into<String>) -> Self {
        Self {
            conditions: conditions.into(),
            figures: Vec::new(),
        }
    }

    /// Adds one figure with all its values. The unit of a ratio or a count is `""`.
    pub(crate) fn note(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        values: impl IntoIterator<Item = f64>,
    ) {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        self.figures.push(Figure {
            what: what.into(),
            unit,
            values,
        });
    }

    pub(crate) fn note_seconds(&mut self, what: impl Into<String>, times: &[Duration]) {
        self.note(what, "s", times.iter().map(Duration::as_secs_f64));
    }

    pub(crate) fn note_millis(&mut self, what: impl Into<String>, times: &[Duration]) {
        self.note(
            what,
            "ms",
            times.iter().map(|time| time.as_secs_f64() * 1e3),
        );
    }

    /// Adds the ratio of two times: round by round, and of the medians.
    pub(crate) fn note_ratio(&mut self, what: &str, over: &[Duration], under: &[Duration]) {
        let pairs = over.iter().zip(under);
        self.note(
            format!("{what}, by round"),
            "",
            pairs.map(|(over, under)| over.as_secs_f64() / under.as_secs_f64()),
        );
        self.note(
            format!("{what}, of the medians"),
            "",
            [median_of(over) / median_of(under)],
        );
    }

    pub(crate) fn json(&self) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        json!({ "on": self.conditions, "figures": figures })
    }
}

impl Figure {
    fn least(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    fn most(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }

    fn median(&self) -> f64 {
        let n = self.values.len();
        match n {
            0 => f64::NAN,
            _ => f64::midpoint(self.values[(n - 1) / 2], self.values[n / 2]),
        }
    }

    /// The 99th percentile; the maximum of fewer than 100 values.
    fn p99(&self) -> f64 {
        let n = self.values.len();
        match n {
            0 => f64::NAN,
            _ => self.values[(n * 99).div_ceil(100) - 1],
        }
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what,
            "unit": self.unit,
            "n": self.values.len(),
            "median": self.median(),
            "min": self.least(),
            "max": self.most(),
            "p99": self.p99(),
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.conditions)?;
        writeln!(
            f,
            "{:62}{:>7}{:>10}{:>10}{:>10}{:>10}",
            "", "n", "median", "min", "max", "p99"
        )?;
        for figure in &self.figures {
            writeln!(
                f,
                "{:62}{:>7}{:>10}{:>10}{:>10}{:>10} {}",
                figure.what,
                figure.values.len(),
                shown(figure.median()),
                shown(figure.least()),
                shown(figure.most()),
                shown(figure.p99()),
                figure.unit
            )?;
        }
        Ok(())
    }
}

/// The median, in seconds.
pub(crate) fn median_of(times: &[Duration]) -> f64 {
    let mut figures = Figures::on("");
    figures.note_seconds("", times);
    figures.figures[0].median()
}

/// Three or four significant digits.
fn shown(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.3}"),
        ..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
