//! Messages that an application sends itself are treated as if the function had queued them.

use serde_json::{Value, json};

use crate::support::{Crm, Database, Listening};

#[tokio::test]
async fn a_message_with_the_least_that_is_needed_moves_all_leads() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let message_id = crm.send(&Crm::message_to(run, crm.target)).await;

    let first = crm.process().await.expect("it is due");

    assert_eq!(first.message_id, message_id);
    assert_eq!(first.run_id, Some(run));
    assert_eq!(
        (first.leads_moved, first.leads_remaining, first.success),
        (100, 150, true)
    );
    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, i64>("total"), 250);
    assert_eq!(progress.get::<_, String>("status"), "processing");
    assert_eq!(
        progress.get::<_, String>("run_name"),
        "Restaurantes - 10/12/2025 09:07"
    );
    assert_eq!(
        crm.enqueue(run).await["message_id"],
        message_id,
        "the move's message is the one that was sent"
    );
    crm.check().await;

    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.queue_length().await, 0);
    crm.check().await;
}

#[tokio::test]
async fn a_message_of_the_old_systems_shape_is_understood_batch_size_included() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(60).await;
    let mut message = Crm::message_to(run, crm.target);
    message["run_name"] = json!("whatever it was called");
    message["batch_size"] = json!(25);
    message["created_at"] = json!("2025-12-10T12:00:00Z");
    message["status"] = json!("pending");
    message["progress"] =
        json!({ "moved": 500, "remaining": 492, "total": 992, "last_batch_at": null });
    crm.send(&message).await;

    let moved: Vec<i32> = crm
        .process_all()
        .await
        .iter()
        .map(|batch| batch.leads_moved)
        .collect();

    assert_eq!(moved, [25, 25, 10]);
    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, i64>("total"), 60);
    assert_eq!(
        progress.get::<_, String>("run_name"),
        "Restaurantes - 10/12/2025 09:07"
    );
}

#[tokio::test]
async fn values_that_are_texts_or_null_are_understood_as_sql_would() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (texts, nulls) = (crm.run_of(30).await, crm.run_of(30).await);
    let mut message = Crm::message_to(texts, crm.target);
    message["run_id"] = json!(texts.to_string().to_uppercase());
    message["batch_size"] = json!("20");
    crm.send(&message).await;
    let mut message = Crm::message_to(nulls, crm.target);
    message["batch_size"] = Value::Null;
    crm.send(&message).await;

    let moved: Vec<i32> = crm
        .process_all()
        .await
        .iter()
        .map(|batch| batch.leads_moved)
        .collect();

    assert_eq!(moved, [20, 30, 10]);
}

#[tokio::test]
async fn sending_notifies_once_at_commit_with_no_payload() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let mut listening = Listening::start(&database).await;

    crm.send(&Crm::message_to(run, crm.target)).await;

    assert_eq!(listening.received(&database).await, [""]);
}

#[tokio::test]
async fn a_large_run_that_was_sent_is_split_into_lanes() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.send(&Crm::message_to(run, crm.target)).await;

    crm.process().await;

    assert_eq!(crm.queue_length().await, 3);
    crm.check().await;
    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 2_500);
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn a_copy_of_a_message_of_a_finished_move_is_a_new_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    crm.process().await;
    let copy: Value = database
        .value("select message from pgmq.q_lead_migration_queue", &[])
        .await;
    crm.process_all().await;
    let old: i64 = crm.progress(run).await.get("migration_id");
    assert_eq!(copy["migration_id"], old);
    database
        .session()
        .execute(
            "update public.leads set funnel_id = $1, column_id = $2 where run_id = $3",
            &[&crm.inbox.funnel, &crm.inbox.column, &run],
        )
        .await
        .unwrap();

    let message_id = crm.send(&copy).await;
    crm.process_all().await;

    let progress = crm.progress(run).await;
    assert!(progress.get::<_, i64>("migration_id") > old);
    assert_eq!(progress.get::<_, i64>("total"), 150);
    assert_eq!(progress.get::<_, String>("status"), "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    let first_message: i64 = database
        .value(
            "select message_id from lead_mover.moves where migration_id = $1",
            &[&progress.get::<_, i64>("migration_id")],
        )
        .await;
    assert_eq!(first_message, message_id);
    crm.check().await;
}

#[tokio::test]
async fn keys_that_claim_to_belong_to_another_move_are_ignored() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, victim) = (crm.run_of(10).await, crm.run_of(150).await);
    let victims = crm.enqueue(victim).await;
    crm.control("pause_lead_migration", victim).await;
    for forged in [
        json!([victims["migration_id"], 1]),
        json!([victims["migration_id"], 2]),
        json!([999_999, 1]),
        json!(["99999999999999999999", "x"]),
        json!([{ "a": 1 }, -1]),
    ] {
        let mut message = Crm::message_to(run, crm.target);
        message["migration_id"] = forged[0].clone();
        message["lane"] = forged[1].clone();
        crm.send(&message).await;

        let batch = crm.process().await.expect("it is due");

        assert_eq!(batch.run_id, Some(run));
        assert_eq!((batch.leads_moved, batch.success), (10, true));
        database
            .session()
            .execute(
                "update public.leads set funnel_id = null, column_id = null where run_id = $1",
                &[&run],
            )
            .await
            .unwrap();
    }
    assert_eq!(crm.leads_at(victim, crm.inbox).await, 150);
    assert_eq!(crm.status(victim).await, "paused");
    crm.check().await;
}
