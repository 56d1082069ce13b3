//! `make bench`: what a move costs, and what others pay for it, on a PostgreSQL of its own with `fsync` on.
//!
//! `make bench ARGS='--only ways,growth'` runs single parts. Things to compare are measured alternately and
//! several times, each time on new data, because the speed of a machine drifts.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark prints to the terminal, and ends at the first error"
)]

mod buffers;
mod bystander;
mod enqueue;
mod fairness;
mod far;
mod figures;
mod finished;
mod fixture;
mod footprint;
mod growth;
mod progress;
#[expect(dead_code, reason = "the tests have more faults")]
#[path = "../../tests/it/support/proxy.rs"]
mod proxy;
mod rights;
mod sample;
mod service;
mod snapshot;
mod waking;
mod ways;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde_json::{Map, Value, json};

use figures::Figures;
use fixture::Fixture;

/// Times moves of a large run on a PostgreSQL of its own.
#[derive(Parser)]
struct Arguments {
    /// Only these parts, with commas between them.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// How often each part measures [default: as many times as the part needs].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Leads of the run; parts that need a larger one multiply it.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(i32).range(1000..=10_000_000))]
    leads: i32,
    /// A setting of the server that is not its default, for example `synchronous_commit=off`; may be given
    /// several times.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Write all figures to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Cargo passes it.
    #[arg(long, hide = true)]
    bench: bool,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One direct UPDATE, the old design's loop, the lead mover.
    Ways,
    /// How long an application that updates single leads waits.
    Bystander,
    /// Ten times the leads, the time a lead.
    Growth,
    /// A move while another session holds a snapshot.
    Snapshot,
    /// A move of 100 leads behind a large one.
    Fairness,
    /// The call that queues a move.
    Enqueue,
    /// Buffers that a batch touches, early and late in a run.
    Buffers,
    /// How soon the idle service starts a move.
    Waking,
    /// The database is 25 ms away.
    Far,
    /// The service's start and memory.
    Footprint,
    /// The statement that reads the gauges' values.
    Sample,
    /// Progress and gauges after many finished moves.
    Progress,
    /// What the check of rights costs the call that queues a move.
    Rights,
}

impl Part {
    async fn measure(self, fixture: &Fixture, leads: i32, rounds: Option<u16>) -> Figures {
        match self {
            Self::Ways => ways::measure(fixture, leads, rounds.unwrap_or(5)).await,
            Self::Bystander => bystander::measure(fixture, leads, rounds.unwrap_or(1)).await,
            Self::Growth => growth::measure(fixture, leads, rounds.unwrap_or(2)).await,
            Self::Snapshot => snapshot::measure(fixture, leads, rounds.unwrap_or(5)).await,
            Self::Fairness => fairness::measure(fixture, leads, rounds.unwrap_or(5)).await,
            Self::Enqueue => enqueue::measure(fixture, leads, rounds.unwrap_or(5)).await,
            Self::Buffers => buffers::measure(fixture, leads, rounds.unwrap_or(1)).await,
            Self::Waking => waking::measure(fixture, rounds.unwrap_or(1)).await,
            Self::Far => far::measure(fixture, leads, rounds.unwrap_or(5)).await,
            Self::Footprint => footprint::measure(fixture, leads, rounds.unwrap_or(1)).await,
            Self::Sample => sample::measure(fixture, rounds.unwrap_or(3)).await,
            Self::Progress => progress::measure(fixture, rounds.unwrap_or(3)).await,
            Self::Rights => rights::measure(fixture, rounds.unwrap_or(3)).await,
        }
    }

    fn name(self) -> String {
        self.to_possible_value()
            .expect("no part is hidden")
            .get_name()
            .to_owned()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let fixture = Fixture::prepare(&arguments.settings).await;
    let mut parts = Map::new();

    for &part in Part::value_variants() {
        if arguments.only.is_empty() || arguments.only.contains(&part) {
            let name = part.name();
            eprintln!("{name}:");
            let figures = part
                .measure(&fixture, arguments.leads, arguments.rounds)
                .await;
            println!("\n{name}: {figures}");
            parts.insert(name, figures.json());
        }
    }
    if let Some(file) = arguments.json {
        let all = json!({
            "leads": arguments.leads,
            "settings": arguments.settings.into_iter().collect::<BTreeMap<_, _>>(),
            "parts": Value::Object(parts),
        });
        std::fs::write(file, format!("{all:#}\n")).expect("the file can be written");
    }
}
