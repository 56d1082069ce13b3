//! With a snapshot held open elsewhere all along: what dies in the move cannot be cleaned up behind it.

use std::time::Duration;

use crate::bed::{Bed, RUN};
use crate::figures::Figures;
use crate::moving::move_run;

pub(crate) async fn measure(bed: &Bed, leads: i32, rounds: u16) -> Figures {
    let leads = leads * 2;
    let mut seconds: [Vec<Duration>; 2] = Default::default();
    for round in 1..=rounds {
        for (held, seconds) in [false, true].into_iter().zip(&mut seconds) {
            eprintln!("  round {round}: a snapshot is held: {held}");
            bed.import(&[(RUN, leads)]).await;
            let elsewhere = bed.open().await;
            if held {
                elsewhere
                    .batch_execute("begin isolation level repeatable read; select from public.runs")
                    .await
                    .expect("it begins");
            }
            seconds.push(move_run(bed, 100, 2).await.total);
            bed.check_all_at_target(leads).await;
            elsewhere
                .batch_execute("rollback")
                .await
                .expect("it was open all along");
        }
    }

    let mut figures = Figures::on(format!(
        "{leads} leads of one run, batches of 100, 2 workers"
    ));
    figures.note_seconds("nothing open elsewhere", &seconds[0]);
    figures.note_seconds("a snapshot held open elsewhere", &seconds[1]);
    figures.note_ratio("ratio of with to without", &seconds[1], &seconds[0]);
    figures
}
