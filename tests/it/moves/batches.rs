//! `process_lead_migration_batch`: what one call does.

use crate::support::{Database, process_in};

#[tokio::test]
async fn each_call_moves_one_batch_and_reports_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(478).await;
    let message_id = crm.enqueue(run).await["message_id"]
        .as_i64()
        .expect("a number");

    let first = crm.process().await.expect("a batch is due");

    assert_eq!(first.message_id, message_id);
    assert_eq!(first.run_id, Some(run));
    assert_eq!(
        first.run_name.as_deref(),
        Some("Restaurantes - 10/12/2025 09:07")
    );
    assert_eq!(
        (first.leads_moved, first.leads_remaining, first.success),
        (100, 378, true)
    );
    assert_eq!(
        first.error_message,
        "Batch processado: 100 leads movidos, 378 restantes"
    );
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    assert_eq!(crm.status(run).await, "processing");

    let rest = crm.process_all().await;

    let moved: Vec<i32> = rest.iter().map(|batch| batch.leads_moved).collect();
    assert_eq!(
        moved,
        [100, 100, 100, 78],
        "after the last lead there is no empty batch"
    );
    assert_eq!(crm.queue_length().await, 0);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 478);
    crm.check().await;
}

#[tokio::test]
async fn no_row_when_nothing_is_due() {
    let database = Database::new().await;
    let crm = database.crm().await;

    assert!(crm.process().await.is_none());
}

#[tokio::test]
async fn a_number_caps_the_batch_for_that_call_only() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    crm.enqueue(run).await;

    let mut moved = Vec::new();
    for size in [Some(10), None, Some(10_000)] {
        let batch = process_in(database.session(), size)
            .await
            .unwrap()
            .expect("it is due");
        moved.push(batch.leads_moved);
    }
    assert_eq!(moved, [10, 100, 100]);

    for size in [0, -1, 10_001, i32::MAX] {
        let error = process_in(database.session(), Some(size))
            .await
            .expect_err("LM003");
        assert_eq!(error.code().code(), "LM003");
    }
}

#[tokio::test]
async fn moves_take_turns() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (first, second) = (crm.run_of(250).await, crm.run_of(250).await);
    crm.enqueue(first).await;
    crm.enqueue(second).await;

    let turns: Vec<_> = crm
        .process_all()
        .await
        .into_iter()
        .map(|batch| batch.run_id.expect("a run"))
        .collect();

    assert_eq!(turns, [first, second, first, second, first, second]);
}

#[tokio::test]
async fn a_rolled_back_call_leaves_everything_as_it_was() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    database.run("begin").await;
    assert_eq!(crm.process().await.expect("it is due").leads_moved, 100);
    database.run("rollback").await;

    crm.check().await;
    assert_eq!(crm.leads_at(run, crm.inbox).await, 250);
    assert_eq!(crm.progress(run).await.get::<_, i64>("moved"), 0);
    assert_eq!(
        crm.process().await.expect("it is due again").leads_moved,
        100
    );
}

#[tokio::test]
async fn leads_outside_the_move_are_not_written() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(150).await, crm.run_of(50).await);
    database
        .session()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2
             where id in (select id from public.leads where run_id = $3 order by id limit 20)",
            &[&crm.target.funnel, &crm.target.column, &run],
        )
        .await
        .unwrap();
    let untouched = "select array_agg(l.xmin::text || l::text order by l.id) from public.leads l
         where l.run_id = $1 or l.id = any ($2)";
    let there: Vec<uuid::Uuid> = database
        .value(
            "select array_agg(id) from public.leads where column_id = $1",
            &[&crm.target.column],
        )
        .await;
    let before: Vec<String> = database.value(untouched, &[&other, &there]).await;

    assert_eq!(crm.enqueue(run).await["total"], 130);
    crm.process_all().await;

    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    assert_eq!(
        database
            .value::<Vec<String>>(untouched, &[&other, &there])
            .await,
        before
    );
}

#[tokio::test]
async fn two_workers_share_a_large_run_and_no_lead_is_written_twice() {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    let run = crm.run_of(3_000).await;
    crm.enqueue(run).await;

    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let session = database.open().await;
        workers.spawn(async move {
            while process_in(&session, None)
                .await
                .expect("no error")
                .is_some()
            {}
        });
    }
    workers.join_all().await;
    crm.process_all().await; // what another worker had locked when the last one looked

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 3_000);
    assert_eq!(database.writes().await, (3_000, 3_000));
    database.check_writes(100).await;
    crm.check().await;
}
