//! A database that is far away, and answers that get lost on the way.

use std::time::Duration;

use crate::support::{Database, Faults, Gate, Proxy, Service, enqueue_in, eventually};

const ONE_WORKER: [&str; 4] = ["--poll-interval", "1h", "--workers", "1"];

#[tokio::test]
async fn a_batch_whose_answer_is_lost_after_its_commit_is_not_done_twice() {
    lose_an_answer(Duration::ZERO).await;
}

/// Far away several calls are in flight when the connection is cut.
#[tokio::test]
async fn nor_is_one_of_several_that_were_under_way() {
    lose_an_answer(Duration::from_millis(20)).await;
}

async fn lose_an_answer(delay: Duration) {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(600).await;
    let gate = Gate::close(&database).await;
    database.note_writes().await;
    database.run(STOP_AT_THE_TENTH_BATCH).await;
    let proxy = Proxy::before(&database.connection_string()).await;
    let fair = Faults {
        delay,
        ..Faults::default()
    };
    proxy.set(fair);
    let service = Service::start_unready(&proxy.connection_string(), &ONE_WORKER).await;
    service.ready().await;
    enqueue_in(database.session(), run, crm.target, Some(20))
        .await
        .expect("it is queued");
    gate.reached_by(1).await;

    proxy.set(Faults {
        cut_after_command: true,
        ..fair
    });
    gate.open().await;
    eventually("the answer is lost", async || {
        service
            .metric("lead_mover_errors_total{kind=\"connection\"}")
            .await
            > 0.0
    })
    .await;
    assert!(
        crm.leads_at(run, crm.target).await >= 200,
        "it had committed"
    );
    proxy.set(fair);
    crm.completed(run).await;

    assert_eq!(crm.leads_at(run, crm.target).await, 600);
    database.check_writes(20).await;
    crm.check().await;
}

const STOP_AT_THE_TENTH_BATCH: &str = "
    create sequence public.batch_number;
    create or replace function public.pass_gate() returns trigger language plpgsql set lock_timeout = 0 as
    $$
    begin
      if nextval('public.batch_number') = 10 then
        perform pg_catalog.pg_advisory_xact_lock_shared(7);
      end if;
      return null;
    end
    $$";
