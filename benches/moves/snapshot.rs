//! A move while another session holds a snapshot open: vacuum cannot remove the dead rows of the move.

use std::time::Duration;

use crate::figures::Figures;
use crate::finished::move_run;
use crate::fixture::{Fixture, RUN};

pub(crate) async fn measure(fixture: &Fixture, leads: i32, rounds: u16) -> Figures {
    let leads = leads * 2;
    let mut seconds: [Vec<Duration>; 2] = Default::default();
    for round in 1..=rounds {
        for (held, seconds) in [false, true].into_iter().zip(&mut seconds) {
            eprintln!("  round {round}: a snapshot is held: {held}");
            fixture.import(&[(RUN, leads)]).await;
            let other = fixture.open().await;
            if held {
                other
                    .batch_execute("begin isolation level repeatable read; select from public.runs")
                    .await
                    .expect("it begins");
            }
            seconds.push(move_run(fixture, RUN, 100, 2).await);
            fixture.check_all_at_target(leads).await;
            other
                .batch_execute("rollback")
                .await
                .expect("the transaction is open");
        }
    }

    let mut figures = Figures::on(format!(
        "{leads} leads of one run, batches of 100, 2 workers"
    ));
    figures.note_seconds("no other transaction", &seconds[0]);
    figures.note_seconds("another session holds a snapshot", &seconds[1]);
    figures.note_ratio("ratio of with to without", &seconds[1], &seconds[0]);
    figures
}
