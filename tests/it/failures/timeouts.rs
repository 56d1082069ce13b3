//! Timeouts, cancelled statements and strict isolation: the settings of a session that batches run in.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::support::{Crm, Database, Gate, Session, process_in};

/// A trigger that takes 20 ms a lead.
async fn slow_leads(database: &Database) {
    database
        .run(
            "create function public.take_long() returns trigger language plpgsql as
             $$ begin perform pg_catalog.pg_sleep(0.02); return new; end $$;
             create trigger take_long before update on public.leads
             for each row execute function public.take_long()",
        )
        .await;
}

async fn sizes(database: &Database) -> Vec<i32> {
    database
        .value(
            "select array_agg(batch_size order by lane) from lead_mover.lanes",
            &[],
        )
        .await
}

#[tokio::test]
async fn after_a_statement_timeout_the_next_batch_is_half_as_large() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(16).await;
    slow_leads(&database).await;
    crm.try_enqueue(run, crm.target, Some(16)).await.unwrap();
    let worker = database.open().await;
    worker
        .batch_execute("set statement_timeout = '200ms'")
        .await
        .unwrap();

    let batch = process_in(&worker, None).await.unwrap().expect("it is due");

    assert!(!batch.success);
    assert_eq!(batch.leads_moved, 0);
    assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 1);
    assert_eq!(sizes(&database).await, [8]);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 16);
    crm.check().await;

    // So small that it succeeds, whatever the time-out: 4 leads take 80 ms.
    let mut batches = 0;
    while crm.queue_length().await > 0 {
        crm.make_due().await;
        process_in(&worker, None).await.unwrap().expect("it is due");
        batches += 1;
        assert!(batches <= 40, "it does not end");
    }
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 16);
    crm.check().await;
}

#[tokio::test]
async fn a_statement_timeout_is_distinguished_from_a_cancel_however_the_statement_is_sent() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    slow_leads(&database).await;
    crm.enqueue(run).await;
    let process = "select 1 from public.process_lead_migration_batch()";

    for attempt in 1..=9 {
        crm.make_due().await;
        let worker = database.open().await;
        worker
            .batch_execute("set statement_timeout = '60ms'")
            .await
            .unwrap();
        let sent = match attempt % 3 {
            0 => worker.batch_execute(process).await,
            1 => worker.query_typed(process, &[]).await.map(drop),
            _ => worker.query(process, &[]).await.map(drop),
        };
        sent.expect("it is recorded, not raised");
        let recorded: i32 = crm.progress(run).await.get("attempts");
        assert_eq!(recorded, attempt);
        database
            .run("update lead_mover.lanes set batch_size = 100")
            .await;
    }
    crm.check().await;
}

#[tokio::test]
async fn after_a_lock_timeout_the_batch_comes_back() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    crm.enqueue(run).await;
    let (worker, user) = (database.open().await, database.open().await);
    // The foreign key's check has to wait for a transaction that changes the target.
    user.batch_execute("begin").await.unwrap();
    user.execute(
        "select from public.columns where id = $1 for update",
        &[&crm.target.column],
    )
    .await
    .unwrap();
    worker
        .batch_execute("set lock_timeout = '20ms'")
        .await
        .unwrap();

    let batch = process_in(&worker, None).await.unwrap().expect("it is due");

    assert!(!batch.success);
    assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 1);
    assert_eq!(crm.progress(run).await.get::<_, i64>("rejected"), 0);
    assert_eq!(sizes(&database).await, [50]);
    crm.check().await;

    user.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
}

/// Cancels the batch that waits at the gate, and expects that nothing of it is left.
async fn cancel_a_batch_in(worker: Session, database: &Database, crm: &Crm<'_>, run: Uuid) {
    let gate = Gate::close(database).await;
    let cancelled: i32 = worker
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let queue = "select array_agg(q::text) from pgmq.q_lead_migration_queue q";
    let before: Vec<String> = database.value(queue, &[]).await;

    let (batch, ()) = tokio::join!(process_in(&worker, None), async {
        gate.reached_by(1).await;
        database
            .session()
            .execute_typed("select pg_cancel_backend($1)", &[(&cancelled, Type::INT4)])
            .await
            .unwrap();
    });

    let error = batch.expect_err("the cancelled statement returns an error");
    assert_eq!(error.code().code(), "57014");
    // The server sends the error first, and undoes the transaction then.
    worker.batch_execute("").await.unwrap();
    assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 0);
    assert_eq!(database.value::<Vec<String>>(queue, &[]).await, before);
    gate.open().await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn a_cancelled_statement_is_no_failure_of_the_move() {
    for settings in ["", "set statement_timeout = '1h'"] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(100).await;
        crm.enqueue(run).await;
        let worker = database.open().await;
        worker.batch_execute(settings).await.unwrap();

        cancel_a_batch_in(worker, &database, &crm, run).await;
    }
}

#[tokio::test]
async fn a_message_whose_adoption_has_to_wait_does_not_hold_up_the_one_behind_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (sent, healthy) = (crm.run_of(10).await, crm.run_of(10).await);
    crm.send(&Crm::message_to(sent, crm.target)).await;
    crm.enqueue(healthy).await;
    let (application, worker) = (database.open().await, database.open().await);
    // An application is about to queue the run that the message is about, too.
    application.batch_execute("begin").await.unwrap();
    crate::support::enqueue_in(&application, sent, crm.target, None)
        .await
        .unwrap();
    for _ in 0..3 {
        // The application does not end, so a batch that waits for it runs into this time-out.
        timeout(Duration::from_secs(10), process_in(&worker, None))
            .await
            .expect("it waits for no other transaction")
            .expect("it is recorded");
    }

    assert_eq!(crm.status(healthy).await, "completed");
    assert_eq!(crm.queue_length().await, 1, "the message is still there");
    application.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    assert_eq!(crm.status(sent).await, "completed");
    assert_eq!(crm.leads_at(sent, crm.target).await, 10);
    crm.check().await;
}

#[tokio::test]
async fn sessions_that_are_serializable_by_default_work() {
    let database = Database::new().await;
    database
        .run(&format!(
            "alter database {} set default_transaction_isolation = serializable",
            database.name()
        ))
        .await;
    let crm = database.crm().await;
    let run = crm.run_of(2_100).await;
    let application = database.open().await;
    assert_eq!(
        crate::support::enqueue_in(&application, run, crm.target, None)
            .await
            .unwrap()["total"],
        2_100
    );

    let work = async || {
        let session = database.open().await;
        loop {
            match process_in(&session, None).await {
                Ok(None) => break,
                Ok(Some(batch)) => assert!(
                    batch.success || batch.error_message.contains("serialize"),
                    "{}",
                    batch.error_message
                ),
                Err(error) => assert_eq!(error.code().code(), "40001", "{error}"),
            }
        }
    };
    tokio::join!(work(), work());
    crm.process_to_the_end().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 2_100);
    crm.check().await;
}
