//! A move whose batches wait or time out takes its turn like any other, and one worker.

use crate::support::{Database, enqueue_in};

/// Every move to that column changes one row, as a trigger that counts leads does.
const COUNTS: &str = "
  create table public.counts (column_id uuid primary key, leads bigint not null default 0);
  insert into public.counts select id from public.columns;
  create function public.count_leads() returns trigger language plpgsql as $$ begin
    update public.counts set leads = leads + 1 where column_id = new.column_id;
    return new;
  end $$;
  create trigger count_leads after update on public.leads for each row execute function public.count_leads()";

#[tokio::test]
async fn a_small_move_comes_after_one_batch_that_waits() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (large, small) = (crm.run_of(8_000).await, crm.run_of(10).await);
    let elsewhere = crm.another_target().await;
    database.run(COUNTS).await;
    let user = database.open().await;
    user.batch_execute(&format!(
        "begin; update public.counts set leads = 0 where column_id = '{}'",
        crm.target.column
    ))
    .await
    .expect("the row is free");
    crm.enqueue(large).await;
    enqueue_in(database.session(), small, elsewhere, None)
        .await
        .expect("it is queued");
    let worker = database.open().await;
    worker
        .batch_execute("set lock_timeout = '20ms'")
        .await
        .expect("it is set");

    assert_eq!(database.process_as_service(&worker).await, "failed");
    assert_eq!(database.process_as_service(&worker).await, "moved");

    assert_eq!(crm.leads_at(small, elsewhere).await, 10);
    user.batch_execute("rollback").await.expect("it ends");
    crm.process_to_the_end().await;
    crm.all_moved(large).await;
}

#[tokio::test]
async fn a_move_whose_batches_fail_has_one_at_a_time() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(8_000).await;
    crm.enqueue(run).await;
    database
        .run("update lead_mover.lanes set attempts = 1")
        .await;
    let (first, second) = (database.open().await, database.open().await);

    first.batch_execute("begin").await.expect("it is open");
    assert_eq!(database.process_as_service(&first).await, "moved");
    assert_eq!(database.process_as_service(&second).await, "idle");
    first.batch_execute("commit").await.expect("it ends");

    assert_eq!(database.process_as_service(&second).await, "moved");
    crm.process_all().await;
    crm.all_moved(run).await;
}
