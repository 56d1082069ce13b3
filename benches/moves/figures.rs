//! Medians, spreads and ratios, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ways::{Timed, Way};

/// All that was measured.
pub(crate) struct Figures {
    leads: i32,
    rounds: usize,
    timed: BTreeMap<Way, Vec<Timed>>,
    waits: Vec<(Option<Way>, Vec<Duration>)>,
}

impl Figures {
    pub(crate) fn new(leads: i32, rounds: usize) -> Self {
        Self {
            leads,
            rounds,
            timed: BTreeMap::new(),
            waits: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, way: Way, timed: Timed) {
        self.timed.entry(way).or_default().push(timed);
    }

    pub(crate) fn note_waits(&mut self, way: Option<Way>, waits: Vec<Duration>) {
        self.waits.push((way, waits));
    }

    /// Seconds by round.
    fn seconds(&self, way: Way) -> Vec<f64> {
        self.timed[&way]
            .iter()
            .map(|timed| timed.total.as_secs_f64())
            .collect()
    }

    /// To the direct `UPDATE` of the same round.
    fn ratios(&self, way: Way) -> Vec<f64> {
        let direct = self.seconds(Way::Direct);
        self.seconds(way)
            .iter()
            .zip(direct)
            .map(|(way, direct)| way / direct)
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        let ways: Vec<Value> = Way::ALL
            .iter()
            .map(|&way| {
                let batches = batches(&self.timed[&way]);
                json!({
                    "way": way.to_string(),
                    "seconds": spread(self.seconds(way)),
                    "ratio_to_direct": spread(self.ratios(way)),
                    "enqueue_seconds": spread(
                        self.timed[&way].iter().map(|timed| timed.enqueue.as_secs_f64()).collect()
                    ),
                    "batch_p99_ms": quantile(&batches, 0.99),
                })
            })
            .collect();
        let waits: Vec<Value> = self
            .waits
            .iter()
            .map(|(way, waits)| {
                let waits = millis(waits);
                json!({
                    "beside": name(*way),
                    "updates": waits.len(),
                    "p50_ms": quantile(&waits, 0.5),
                    "p99_ms": quantile(&waits, 0.99),
                    "max_ms": quantile(&waits, 1.0),
                })
            })
            .collect();
        json!({ "leads": self.leads, "rounds": self.rounds, "ways": ways, "bystander": waits })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} leads of one run, {} rounds: median (least–most)\n",
            self.leads, self.rounds
        )?;
        writeln!(
            f,
            "{:42}{:>24}{:>24}{:>12}",
            "way", "seconds", "ratio to direct", "batch p99"
        )?;
        for way in Way::ALL {
            let batches = batches(&self.timed[&way]);
            let p99 =
                quantile(&batches, 0.99).map_or_else(String::new, |p99| format!("{p99:.1} ms"));
            let (seconds, ratios) = (shown(self.seconds(way)), shown(self.ratios(way)));
            writeln!(f, "{way:42}{seconds:>24}{ratios:>24}{p99:>12}")?;
        }
        writeln!(
            f,
            "\n{:42}{:>12}{:>12}{:>12}",
            "an application's update waits beside", "p50", "p99", "most"
        )?;
        for (way, waits) in &self.waits {
            let waits = millis(waits);
            write!(f, "{:42}", name(*way))?;
            for q in [0.5, 0.99, 1.0] {
                write!(f, "{:>9.1} ms", quantile(&waits, q).unwrap_or(f64::NAN))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn name(way: Option<Way>) -> String {
    way.map_or_else(|| "nothing".to_owned(), |way| way.to_string())
}

fn batches(timed: &[Timed]) -> Vec<f64> {
    millis(
        &timed
            .iter()
            .flat_map(|timed| timed.batches.iter().copied())
            .collect::<Vec<_>>(),
    )
}

fn millis(durations: &[Duration]) -> Vec<f64> {
    let mut millis: Vec<f64> = durations
        .iter()
        .map(|duration| duration.as_secs_f64() * 1000.0)
        .collect();
    millis.sort_by(f64::total_cmp);
    millis
}

/// The value that a share `q` of the sorted values does not exceed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index, rounded"
)]
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * q).round() as usize).copied()
}

fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    json!({ "min": quantile(&values, 0.0), "median": quantile(&values, 0.5), "max": quantile(&values, 1.0) })
}

fn shown(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |q| quantile(&values, q).unwrap_or(f64::NAN);
    format!("{:.2} ({:.2}–{:.2})", at(0.5), at(0.0), at(1.0))
}
