//! `make bench`: how long a large run takes, by the lead mover and by the ways that it replaces, on a
//! PostgreSQL of its own with `fsync` on.
//!
//! All ways are timed in one run, in turn and several times over, each time on the same data loaded
//! anew, because a machine's speed drifts; what counts is the ratio to the direct `UPDATE` of the
//! same round. Arguments: `--rounds N` (5), `--leads N` (100000), `--json FILE`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark talks to its user, and ends where something is wrong"
)]

mod bed;
mod bystander;
mod figures;
mod ways;

use bed::Bed;
use figures::Figures;
use ways::Way;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let bed = Bed::prepare(arguments.leads).await;
    let mut figures = Figures::new(arguments.leads, arguments.rounds);

    for round in 1..=arguments.rounds {
        for way in Way::ALL {
            eprintln!("round {round}: {way}");
            bed.reset().await;
            let timed = way.time(&bed).await;
            bed.check_all_at_target().await;
            figures.note(way, timed);
        }
    }
    eprintln!("bystander: an application that updates one lead 200 times a second");
    for way in [
        None,
        Some(Way::Direct),
        Some(Way::LeadMover {
            batch_size: 100,
            workers: 2,
        }),
    ] {
        bed.reset().await;
        figures.note_waits(way, bystander::waits_beside(&bed, way).await);
    }
    println!("{figures}");
    if let Some(file) = arguments.json {
        std::fs::write(file, format!("{:#}\n", figures.json())).expect("the file can be written");
    }
}

struct Arguments {
    rounds: usize,
    leads: i32,
    json: Option<String>,
}

impl Arguments {
    fn parse() -> Self {
        let mut arguments = Self {
            rounds: 5,
            leads: 100_000,
            json: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("{word} takes a value"))
            };
            match word.as_str() {
                "--rounds" => arguments.rounds = value().parse().expect("a number"),
                "--leads" => arguments.leads = value().parse().expect("a number"),
                "--json" => arguments.json = Some(value()),
                "--bench" => {} // cargo says so
                other => panic!("unknown argument {other}"),
            }
        }
        arguments
    }
}
