//! After time-outs the batch size stays below what timed out, and grows again once that is long ago.

use crate::support::{Database, Session, process_in};

/// A statement that writes more than ten leads never ends.
async fn ten_at_most(database: &Database) {
    database
        .run(
            "create function public.ten_at_most() returns trigger language plpgsql as
             $$ begin
               if (select count(*) from written) > 10 then perform pg_catalog.pg_sleep(3600); end if;
               return null;
             end $$;
             create trigger ten_at_most after update on public.leads
             referencing new table as written for each statement execute function public.ten_at_most()",
        )
        .await;
}

async fn size(database: &Database) -> i32 {
    database
        .value("select min(batch_size) from lead_mover.lanes", &[])
        .await
}

async fn worker(database: &Database) -> Session {
    let worker = database.open().await;
    worker
        .batch_execute("set statement_timeout = '1500ms'")
        .await
        .unwrap();
    worker
}

#[tokio::test]
async fn a_size_that_timed_out_is_not_tried_again_at_once() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    ten_at_most(&database).await;
    crm.enqueue(run).await;
    let worker = worker(&database).await;
    let mut timed_out = Vec::new();
    while crm.queue_length().await > 0 {
        crm.make_due().await;
        let tried = size(&database).await;
        let batch = process_in(&worker, None).await.unwrap().expect("it is due");
        if !batch.success {
            timed_out.push(tried);
        }
    }

    assert_eq!(timed_out, [100, 50, 25, 12]);
    crm.all_moved(run).await;
}

#[tokio::test]
async fn the_size_grows_to_the_moves_own_when_the_time_out_is_long_ago() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(900).await;
    ten_at_most(&database).await;
    crm.enqueue(run).await;
    let worker = worker(&database).await;
    for _ in 0..8 {
        crm.make_due().await;
        process_in(&worker, None).await.unwrap().expect("it is due");
    }
    assert!(size(&database).await <= 10);

    database
        .run(
            "drop trigger ten_at_most on public.leads;
             update lead_mover.lanes set timed_out_at = timed_out_at - interval '11 minutes'",
        )
        .await;
    for _ in 0..5 {
        process_in(&worker, None).await.unwrap().expect("it is due");
    }

    assert_eq!(size(&database).await, 100);
    crm.process_all().await;
    crm.all_moved(run).await;
}
