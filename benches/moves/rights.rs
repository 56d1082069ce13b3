//! What the check of rights costs the call that queues a move: without it, by a caller who is trusted, and by one to
//! whom `lead_mover.open_to` has opened it and whose row level security decides. Alternately, each undone at once.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::figures::Figures;
use crate::fixture::{COLUMN, FUNNEL, Fixture, RUN};

/// Runs of usual size.
const FEW: i32 = 1_000;
const CALLS: u16 = 100;

const USER: &str = "
    do $$
    begin
      if to_regrole('lead_mover_bench_user') is null then
        create role lead_mover_bench_user;
      end if;
    end
    $$;
    alter table public.leads enable row level security;
    alter table public.runs enable row level security;
    create policy own on public.leads to lead_mover_bench_user using (run_id is not null);
    create policy own on public.runs to lead_mover_bench_user using (id is not null);
    grant select, update on public.leads, public.runs, public.columns to lead_mover_bench_user;
    select lead_mover.open_to('lead_mover_bench_user', array['queue'])";

const CLEAN: &str = "
    select lead_mover.close_to('lead_mover_bench_user');
    alter table public.leads disable row level security;
    alter table public.runs disable row level security;
    drop policy own on public.leads;
    drop policy own on public.runs;
    drop owned by lead_mover_bench_user;
    drop role lead_mover_bench_user";

pub(crate) async fn measure(fixture: &Fixture, rounds: u16) -> Figures {
    let mut figures = Figures::on(format!(
        "queueing a run of {FEW} leads, later calls of a session, without the commit"
    ));
    fixture.import(&[(RUN, FEW)]).await;
    fixture.execute(USER).await;
    let session = fixture.open().await;
    let unchecked =
        format!("select lead_mover.queue_move('{RUN}', '{FUNNEL}', '{COLUMN}', 100, null)");
    let checked = format!("select public.queue_lead_migration('{RUN}', '{FUNNEL}', '{COLUMN}')");
    let ways = [
        ("without a check", "none", &unchecked),
        ("by the owner", "none", &checked),
        (
            "by a role with row level security",
            "lead_mover_bench_user",
            &checked,
        ),
    ];
    let mut times = [const { Vec::new() }; 3];
    for round in 0..CALLS * rounds {
        for ((_, role, call), times) in ways.iter().zip(&mut times) {
            let took = time(&session, role, call).await;
            // The first calls make the plans.
            if round >= 10 {
                times.push(took);
            }
        }
    }
    for ((what, _, _), times) in ways.iter().zip(&times) {
        figures.note_millis(*what, times);
    }
    let [none, owner, user] = &times;
    for (what, with) in [("the owner", owner), ("row level security", user)] {
        let pairs = with.iter().zip(none);
        figures.note(
            format!("the check adds, {what}"),
            "ms",
            pairs.map(|(with, without)| (with.as_secs_f64() - without.as_secs_f64()) * 1e3),
        );
    }
    fixture.execute(CLEAN).await;
    figures
}

async fn time(session: &Client, role: &str, call: &str) -> Duration {
    session
        .batch_execute(&format!("begin; set local role {role}"))
        .await
        .expect("the role is there");
    let started = Instant::now();
    session.batch_execute(call).await.expect("it is queued");
    let took = started.elapsed();
    session
        .batch_execute("rollback")
        .await
        .expect("it is undone");
    took
}
