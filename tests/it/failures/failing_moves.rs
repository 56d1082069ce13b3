//! Moves without progress: they end as failed, and hold up no other move.

use uuid::Uuid;

use crate::support::{Crm, Database, Gate, Service, eventually, process_in};

#[tokio::test]
async fn a_move_all_of_whose_leads_are_rejected_has_failed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    database
        .run(&format!(
            "alter table public.leads add constraint stays check (column_id = '{}')",
            crm.inbox.column
        ))
        .await;
    crm.enqueue(run).await;

    crm.process_all().await;

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "failed");
    assert_eq!(progress.get::<_, i64>("moved"), 0);
    assert_eq!(progress.get::<_, i64>("rejected"), 150);
    let reason: String = progress.get("last_error");
    assert!(
        reason.contains("150") && reason.contains("rejeitados"),
        "{reason}"
    );
    assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
    let listed: i64 = database
        .value(
            "select count(*) from public.get_lead_migration_rejections($1)",
            &[&progress.get::<_, i64>("migration_id")],
        )
        .await;
    assert_eq!(listed, 150);
    assert_eq!(crm.queue_length().await, 0);
    crm.check().await;
}

#[tokio::test]
async fn a_move_that_always_fails_holds_up_none_of_the_ten_behind_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (bad, healthy) = queue_a_failing_move_and_ten_good_ones(&database, &crm, 150).await;

    let batches = crm.process_all().await;

    for run in healthy {
        assert_eq!(crm.status(run).await, "completed");
    }
    let failures = batches.iter().filter(|batch| !batch.success).count();
    assert!((1..=10).contains(&failures), "{failures} failures");
    crm.process_to_the_end().await;
    assert_eq!(crm.status(bad).await, "failed");
    assert_eq!(crm.leads_at(bad, crm.inbox).await, 150);
    crm.check().await;
}

#[tokio::test]
async fn the_service_moves_ten_runs_behind_one_that_always_fails() {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    // Several lanes, each of which fails.
    let (bad, healthy) = queue_a_failing_move_and_ten_good_ones(&database, &crm, 2_500).await;

    let service = Service::start(&database, &["--poll-interval", "1h"]).await;

    for run in healthy {
        crm.completed(run).await;
        assert_eq!(crm.leads_at(run, crm.target).await, 120);
    }
    // It takes eight minutes to fail for good, and is in the middle of that.
    assert_eq!(crm.status(bad).await, "pending");
    assert!((1..10).contains(&crm.progress(bad).await.get::<_, i32>("attempts")));
    assert_eq!(crm.leads_at(bad, crm.inbox).await, 2_500);
    eventually("all its lanes are delayed", async || {
        let put_off =
            "select count(*) from pgmq.q_lead_migration_queue where vt > clock_timestamp()";
        database.value::<i64>(put_off, &[]).await == 3
    })
    .await;
    database.check_writes(100).await;
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}

/// A move of so many leads whose batches always fail, and behind it ten of 120 leads that can
/// be moved.
async fn queue_a_failing_move_and_ten_good_ones(
    database: &Database,
    crm: &Crm<'_>,
    leads: i32,
) -> (Uuid, Vec<Uuid>) {
    let bad = crm.run_of(leads).await;
    database
        .fill_disk(&format!(
            "before update on public.leads for each row when (new.run_id = '{bad}')"
        ))
        .await;
    crm.enqueue(bad).await;
    let mut healthy = Vec::new();
    for _ in 0..10 {
        let run = crm.run_of(120).await;
        crm.enqueue(run).await;
        healthy.push(run);
    }
    (bad, healthy)
}

#[tokio::test]
async fn a_move_with_a_thousand_rejected_leads_stops_and_a_retry_moves_the_rest() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(1_200).await;
    let first_good = crm.lead_ids(run).await[1_100];
    database
        .run(&format!(
            "alter table public.leads add constraint stays
               check (id >= '{first_good}' or column_id = '{}')",
            crm.inbox.column
        ))
        .await;
    crm.try_enqueue(run, crm.target, Some(10_000))
        .await
        .unwrap();

    assert!(!crm.process().await.expect("it is due").success);

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "failed");
    assert_eq!(progress.get::<_, i64>("rejected"), 1_000);
    assert_eq!(progress.get::<_, i64>("remaining"), 200);
    assert_eq!(crm.queue_length().await, 0);
    crm.check().await;

    database
        .run("alter table public.leads drop constraint stays")
        .await;
    let answer = crm.control("retry_lead_migration", run).await;
    assert_eq!(answer["total"], 1_200);
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 1_200);
    crm.check().await;
}

#[tokio::test]
async fn batches_that_must_fail_their_move_at_once_leave_the_end_to_the_next() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_000).await;
    let leads = crm.lead_ids(run).await;
    let body = format!(
        "if new.id in ('{}', '{}') then raise exception 'no'; end if; return new;",
        leads[0], leads[1_999]
    );
    database
        .on_leads("before update on public.leads for each row", &body)
        .await;
    crm.enqueue(run).await;
    assert_eq!(crm.queue_length().await, 2);
    // With the rejection of either lane's batch there are too many.
    database
        .run(
            "insert into lead_mover.rejections (migration_id, lead_id, sqlstate, error)
             select m.migration_id, n::text, 'P0001', 'no' from lead_mover.moves m, generate_series(1, 999) n;
             update lead_mover.lanes set rejected = 999, total = total + 999 where lane = 1;
             update lead_mover.lanes set batch_size = 1000",
        )
        .await;
    let gate = Gate::close(&database).await;
    // They stop where they record their batch.
    database
        .run(
            "drop trigger pass_gate on public.leads;
             create trigger pass_gate after update on lead_mover.lanes
             for each statement execute function public.pass_gate()",
        )
        .await;
    let (first, second) = (database.open().await, database.open().await);

    let (one, two, ()) = tokio::join!(process_in(&first, None), process_in(&second, None), async {
        gate.reached_by(2).await;
        gate.open().await;
    });
    for batch in [one, two] {
        let batch = batch.expect("no deadlock").expect("it was due");
        assert!(batch.error_message.contains("1000"), "{batch:?}");
    }
    crm.process_all().await;

    assert_eq!(crm.status(run).await, "failed");
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.leads_at(run, crm.target).await, 999);
    crm.check().await;
}
