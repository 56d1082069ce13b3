//! What the functions report about moves and the queue.

use chrono::{DateTime, Utc};

use crate::support::Database;

#[tokio::test]
async fn one_row_a_move_newest_first_and_null_means_all_runs() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (first, second) = (crm.run_of(3).await, crm.run_of(3).await);
    let elsewhere = crm.another_target().await;
    let mut queued = Vec::new();
    for (run, target) in [
        (first, crm.target),
        (second, crm.target),
        (first, elsewhere),
    ] {
        let answer = crm.try_enqueue(run, target, None).await.unwrap();
        queued.push(answer["migration_id"].as_i64().expect("a number"));
        crm.process_all().await;
    }
    let ids = async |filter: &str| {
        database
            .value::<Vec<i64>>(
                &format!(
                    "select array_agg(migration_id) from public.get_lead_migration_progress({filter})"
                ),
                &[],
            )
            .await
    };

    let newest_first = [queued[2], queued[1], queued[0]];
    assert_eq!(ids("").await, newest_first);
    assert_eq!(ids("null").await, newest_first);
    assert_eq!(ids(&format!("'{first}'")).await, [queued[2], queued[0]]);
    assert_eq!(ids(&format!("'{second}'")).await, [queued[1]]);
}

#[tokio::test]
async fn a_row_changes_with_its_move_from_start_to_end() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(200).await;
    let begun: DateTime<Utc> = database.value("select clock_timestamp()", &[]).await;
    crm.enqueue(run).await;

    let row = crm.progress(run).await;
    assert_eq!(row.get::<_, uuid::Uuid>("run_id"), run);
    assert_eq!(row.get::<_, uuid::Uuid>("funnel_id"), crm.target.funnel);
    assert_eq!(row.get::<_, uuid::Uuid>("column_id"), crm.target.column);
    let life = async || {
        let row = crm.progress(run).await;
        (
            row.get::<_, String>("status"),
            row.get::<_, i64>("moved"),
            row.get::<_, i64>("remaining"),
            row.get::<_, f64>("percent"),
        )
    };
    assert_eq!(life().await, ("pending".to_owned(), 0, 200, 0.0));
    let time = async |column: &str| {
        crm.progress(run)
            .await
            .get::<_, Option<DateTime<Utc>>>(column)
    };
    let queued_at = time("queued_at").await.expect("it is queued");
    assert!(queued_at >= begun);
    for unknown in ["started_at", "last_batch_at", "finished_at"] {
        assert_eq!(time(unknown).await, None, "{unknown}");
    }
    assert_eq!(row.get::<_, Option<f64>>("leads_per_second"), None);
    assert_eq!(row.get::<_, Option<f64>>("eta_seconds"), None);

    crm.process().await;
    assert_eq!(life().await, ("processing".to_owned(), 100, 100, 50.0));
    let started_at = time("started_at").await.expect("it has started");
    let last_batch_at = time("last_batch_at").await.expect("there was one");
    assert!(queued_at <= started_at && started_at <= last_batch_at);
    assert_eq!(time("finished_at").await, None);
    let row = crm.progress(run).await;
    assert!(row.get::<_, f64>("leads_per_second") > 0.0);
    assert!(row.get::<_, f64>("eta_seconds") > 0.0);

    crm.control("pause_lead_migration", run).await;
    assert_eq!(life().await, ("paused".to_owned(), 100, 100, 50.0));
    crm.control("resume_lead_migration", run).await;

    crm.process().await;
    assert_eq!(life().await, ("completed".to_owned(), 200, 0, 100.0));
    assert_eq!(
        time("started_at").await,
        Some(started_at),
        "it does not change"
    );
    let later = time("last_batch_at").await.expect("there was one");
    assert!(later > last_batch_at);
    assert!(time("finished_at").await.expect("it has ended") >= later);
    assert_eq!(
        crm.progress(run).await.get::<_, Option<f64>>("eta_seconds"),
        None
    );
}

#[tokio::test]
async fn a_failing_move_reports_the_error_and_the_attempts() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    assert_eq!(
        crm.progress(run)
            .await
            .get::<_, Option<String>>("last_error"),
        None
    );
    database
        .fill_disk("before update on public.leads for each statement")
        .await;

    crm.process().await;
    let row = crm.progress(run).await;
    assert_eq!(row.get::<_, i32>("attempts"), 1);
    assert_eq!(row.get::<_, String>("last_error"), "disk full");
    assert_eq!(row.get::<_, Option<DateTime<Utc>>>("finished_at"), None);

    crm.process_to_the_end().await;
    let row = crm.progress(run).await;
    assert_eq!(row.get::<_, String>("status"), "failed");
    assert_eq!(row.get::<_, i32>("attempts"), 10);
    assert!(row.get::<_, Option<DateTime<Utc>>>("finished_at").is_some());
    assert_eq!(row.get::<_, i64>("remaining"), 10);
}

#[tokio::test]
async fn the_queues_status_counts_messages_and_has_the_times_of_the_oldest_and_newest() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let status = async || {
        let row = database
            .session()
            .query_one(
                "select * from public.get_lead_migration_queue_status()",
                &[],
            )
            .await
            .expect("one row, whatever is in the queue");
        assert_eq!(row.get::<_, String>("queue_name"), "lead_migration_queue");
        (
            row.get::<_, i64>("total_messages"),
            row.get::<_, Option<DateTime<Utc>>>("oldest_message"),
            row.get::<_, Option<DateTime<Utc>>>("newest_message"),
        )
    };
    assert_eq!(status().await, (0, None, None));

    for _ in 0..3 {
        let run = crm.run_of(3).await;
        crm.enqueue(run).await;
    }
    let at = async |which: &str| {
        database
            .value::<DateTime<Utc>>(
                &format!("select {which}(enqueued_at) from pgmq.q_lead_migration_queue"),
                &[],
            )
            .await
    };

    let (oldest, newest) = (at("min").await, at("max").await);
    assert!(oldest < newest);
    assert_eq!(status().await, (3, Some(oldest), Some(newest)));
    crm.process_all().await;
    assert_eq!(status().await, (0, None, None));
}
