//! Whether the cost is linear: the time a lead of a run, and of one ten times as large. The same of the direct
//! `UPDATE`, which also has colder caches and deeper indexes.

use std::time::Duration;

use crate::figures::Figures;
use crate::fixture::{Fixture, RUN};
use crate::ways::{Way, lead_mover};

const TIMES: i32 = 10;
const WAYS: [Way; 2] = [lead_mover(100, 2), Way::Direct];

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let sizes = [leads, leads * TIMES];
    let mut a_lead: [[Vec<Duration>; 2]; 2] = Default::default();
    for round in 1..=rounds {
        for (way, a_lead) in WAYS.into_iter().zip(&mut a_lead) {
            for (size, a_lead) in sizes.iter().zip(a_lead) {
                eprintln!("  round {round}: {size} leads, {way}");
                fixture.import(&[(RUN, *size)]).await;
                let time = way.time(fixture).await;
                fixture.check_all_at_target(*size).await;
                a_lead.push(time / size.unsigned_abs());
            }
        }
    }

    let mut figures = Figures::on("one run");
    for (way, a_lead) in WAYS.into_iter().zip(&a_lead) {
        for (size, a_lead) in sizes.iter().zip(a_lead) {
            figures.note(
                format!("{way}: a lead of {size}"),
                "µs",
                a_lead.iter().map(|time| time.as_secs_f64() * 1e6),
            );
        }
        figures.note_ratio(
            &format!("  ratio of {} to {}", sizes[1], sizes[0]),
            &a_lead[1],
            &a_lead[0],
        );
    }
    figures
}
