//! Batches that fail: each undone alone, tried again after growing delays, given up after ten attempts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::support::Database;

#[tokio::test]
async fn a_failing_batch_is_undone_alone_and_comes_back_after_a_growing_delay() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    database
        .fill_disk("before update on public.leads for each row")
        .await;
    crm.enqueue(run).await;
    let delay = "select round(extract(epoch from vt - clock_timestamp()))::integer
         from pgmq.q_lead_migration_queue";

    for (attempt, seconds) in [(1, 1), (2, 2), (3, 4)] {
        let batch = crm.process().await.expect("it is due");

        assert!(!batch.success);
        assert!(
            batch.error_message.contains("disk full"),
            "{}",
            batch.error_message
        );
        assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), attempt);
        assert_eq!(database.value::<i32>(delay, &[]).await, seconds);
        assert!(
            crm.process().await.is_none(),
            "it must not be due before its delay is over"
        );
        crm.check().await;
        crm.make_due().await;
    }

    database.free_disk().await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 0);
}

#[tokio::test]
async fn ten_attempts_after_growing_delays_end_the_move_as_failed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    database
        .fill_disk("before update on public.leads for each row")
        .await;
    crm.enqueue(run).await;

    for attempt in 1..=10 {
        crm.make_due().await;
        let before = now(&database).await;
        let batch = crm.process().await.expect("it is due");
        let after = now(&database).await;
        assert!(!batch.success);

        if attempt < 10 {
            let due: DateTime<Utc> = database
                .value("select vt from pgmq.q_lead_migration_queue", &[])
                .await;
            let delay = Duration::from_secs(1 << (attempt - 1));
            assert!(
                before + delay <= due && due <= after + delay,
                "attempt {attempt}"
            );
            assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), attempt);
            crm.check().await;
        }
    }

    assert_eq!(crm.status(run).await, "failed");
    let reason: String = crm.progress(run).await.get("last_error");
    assert_eq!(reason, "Sem progresso após 10 tentativas: disk full");
    assert_eq!(crm.queue_length().await, 0);
    let archived: serde_json::Value = database
        .value("select message from pgmq.a_lead_migration_queue", &[])
        .await;
    assert_eq!(archived["status"], "failed");
    assert_eq!(archived["error"], reason.as_str());
    crm.check().await;

    // Once the cause is gone, retry moves the rest.
    database.free_disk().await;
    let answer = crm.control("retry_lead_migration", run).await;
    assert_eq!(answer["total"], 10);
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 10);
}

#[tokio::test]
async fn an_error_that_is_not_about_a_lead_rejects_none() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    database
        .run(
            "create function public.raise_it() returns trigger language plpgsql as
             $$ begin
               raise exception 'no fault of a lead' using errcode = current_setting('test.sqlstate');
             end $$;
             create trigger raise_it before update on public.leads
             for each row execute function public.raise_it()",
        )
        .await;
    crm.enqueue(run).await;

    // Connection, read-only server, serialization, deadlock, memory, object in use, start-up, I/O, bug.
    for sqlstate in [
        "08006", "25006", "40001", "40P01", "53200", "55006", "57P03", "58030", "XX000",
    ] {
        database
            .run(&format!("set test.sqlstate = '{sqlstate}'"))
            .await;
        crm.make_due().await;
        let batch = crm.process().await.expect("it is due");
        assert!(!batch.success, "{sqlstate}");
    }

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, i32>("attempts"), 9);
    assert_eq!(progress.get::<_, i64>("rejected"), 0);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 10);
    crm.check().await;
}

#[tokio::test]
async fn a_deadlock_among_rejected_leads_undoes_the_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let leads = crm.lead_ids(run).await;
    let (rejected, deadlocked) = (leads[0], leads[99]);
    database
        .run(&format!(
            "create function public.raise_it() returns trigger language plpgsql as
             $$ begin raise exception 'raised by the test' using errcode = tg_argv[0]; end $$;
             create trigger reject before update on public.leads
             for each row when (new.id = '{rejected}') execute function public.raise_it('ZX001');
             create trigger deadlock before update on public.leads
             for each row when (new.id = '{deadlocked}') execute function public.raise_it('40P01')"
        ))
        .await;
    crm.enqueue(run).await;

    assert!(!crm.process().await.expect("it is due").success);

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, i32>("attempts"), 1);
    assert_eq!(progress.get::<_, i64>("rejected"), 0);
    assert_eq!(crm.leads_at(run, crm.inbox).await, 100);
    crm.check().await;

    database.run("drop trigger deadlock on public.leads").await;
    crm.process_to_the_end().await;
    assert_eq!(crm.progress(run).await.get::<_, i64>("rejected"), 1);
    assert_eq!(crm.leads_at(run, crm.target).await, 99);
    crm.check().await;
}

#[tokio::test]
async fn batches_that_were_made_smaller_grow_back_to_the_moves_size() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(330).await;
    crm.enqueue(run).await;
    // As three timeouts leave it.
    database
        .run("update lead_mover.lanes set batch_size = 12")
        .await;

    let batches = crm.process_all().await;

    let moved: Vec<i32> = batches.iter().map(|batch| batch.leads_moved).collect();
    assert_eq!(moved, [12, 24, 48, 96, 100, 50]);
}

/// By the server's clock.
async fn now(database: &Database) -> DateTime<Utc> {
    database.value("select clock_timestamp()", &[]).await
}
