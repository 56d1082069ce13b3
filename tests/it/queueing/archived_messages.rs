//! Messages that cannot be adopted are archived with the reason, and block no other message.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Crm, Database};

/// Sends it, and a good one behind it: the first call archives it, the second moves.
async fn is_archived(crm: &Crm<'_>, message: &Value, sqlstate: &str) -> String {
    let message_id = crm.send(message).await;
    let behind = crm.run_of(5).await;
    crm.send(&Crm::message_to(behind, crm.target)).await;

    let archived_batch = crm.process().await.expect("it is due");
    let next = crm.process().await.expect("it is due");

    assert_eq!(archived_batch.message_id, message_id);
    // What has nothing to do is no failure.
    assert_eq!(archived_batch.success, sqlstate == "00000");
    assert_eq!(
        (archived_batch.leads_moved, archived_batch.leads_remaining),
        (0, 0)
    );
    assert!(!archived_batch.error_message.is_empty());
    assert_eq!(next.run_id, Some(behind));
    assert_eq!(next.leads_moved, 5);
    let archived = crm.archived(message_id).await;
    assert_eq!(archived["error"], archived_batch.error_message.as_str());
    assert_eq!(archived["sqlstate"], sqlstate, "{archived}");
    assert_eq!(archived["status"], "archived");
    archived_batch.error_message
}

#[tokio::test]
async fn messages_that_are_not_objects_are_archived_as_they_came() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for message in [
        json!("text"),
        json!(5),
        json!(true),
        json!(null),
        json!([1, 2]),
    ] {
        is_archived(&crm, &message, "22023").await;

        let kept: Value = database
            .value(
                "select message -> 'message' from pgmq.a_lead_migration_queue
                 order by msg_id desc limit 1",
                &[],
            )
            .await;
        assert_eq!(kept, message);
    }
    database
        .run("insert into pgmq.q_lead_migration_queue (vt, message) values (clock_timestamp(), null)")
        .await;
    assert!(!crm.process().await.expect("it is due").success);
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn messages_that_lack_keys_are_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    for (key, sqlstate) in [
        ("run_id", "LM001"),
        ("funnel_id", "LM002"),
        ("column_id", "LM002"),
    ] {
        let mut message = Crm::message_to(run, crm.target);
        message.as_object_mut().expect("an object").remove(key);
        is_archived(&crm, &message, sqlstate).await;
        message[key] = Value::Null;
        is_archived(&crm, &message, sqlstate).await;
    }
    is_archived(&crm, &json!({}), "LM001").await;
    assert_eq!(crm.leads_at(run, crm.inbox).await, 5);
}

#[tokio::test]
async fn values_of_the_wrong_type_are_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    for (key, value, sqlstate) in [
        ("run_id", json!("not a uuid"), "22P02"),
        ("run_id", json!(5), "22P02"),
        ("funnel_id", json!({ "id": 1 }), "22P02"),
        ("column_id", json!([]), "22P02"),
        ("column_id", json!(""), "22P02"),
        ("batch_size", json!("many"), "22P02"),
        ("batch_size", json!(1.5), "22P02"),
        ("batch_size", json!(true), "22P02"),
        ("batch_size", json!(2_147_483_648_i64), "22003"),
        ("batch_size", json!(0), "LM003"),
        ("batch_size", json!(-1), "LM003"),
        ("batch_size", json!(10_001), "LM003"),
        ("batch_size", json!(i32::MAX), "LM003"),
    ] {
        let mut message = Crm::message_to(run, crm.target);
        message[key] = value;
        is_archived(&crm, &message, sqlstate).await;
    }
    assert_eq!(crm.leads_at(run, crm.inbox).await, 5);
}

#[tokio::test]
async fn a_run_or_a_column_that_does_not_exist_is_named_in_the_reason() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    let nowhere = Uuid::new_v4();
    for (key, sqlstate) in [
        ("run_id", "LM001"),
        ("column_id", "LM002"),
        ("funnel_id", "LM002"),
    ] {
        let mut message = Crm::message_to(run, crm.target);
        message[key] = json!(nowhere);
        let reason = is_archived(&crm, &message, sqlstate).await;
        assert!(reason.contains(&nowhere.to_string()), "{reason}");
    }
}

#[tokio::test]
async fn a_message_for_a_run_with_an_active_move_to_another_target_is_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;
    let elsewhere = crm.another_target().await;

    is_archived(&crm, &Crm::message_to(run, elsewhere), "LM004").await;

    assert_eq!(crm.status(run).await, "paused");
    crm.check().await;
}

#[tokio::test]
async fn a_message_for_a_run_that_is_active_to_the_same_target_is_a_duplicate() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let active = crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;

    let reason = is_archived(&crm, &Crm::message_to(run, crm.target), "00000").await;

    assert!(
        reason.contains(&active["migration_id"].to_string()),
        "{reason}"
    );
    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    let moves: i64 = database
        .value(
            "select count(*) from public.get_lead_migration_progress($1)",
            &[&run],
        )
        .await;
    assert_eq!(moves, 1);
    crm.check().await;
}

#[tokio::test]
async fn a_message_with_no_lead_to_move_is_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;

    is_archived(&crm, &Crm::message_to(run, crm.inbox), "00000").await;
}

#[tokio::test]
async fn a_megabyte_is_archived_or_adopted_like_any_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    let megabyte = "x".repeat(1_048_576);

    is_archived(&crm, &json!(megabyte), "22023").await;
    is_archived(&crm, &json!({ "run_id": megabyte }), "22P02").await;
    let mut message = Crm::message_to(run, crm.target);
    message["note"] = json!(megabyte);
    crm.send(&message).await;

    assert_eq!(crm.process().await.expect("it is due").leads_moved, 5);
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn each_bad_message_at_the_head_holds_up_a_good_one_by_one_call() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5).await;
    for _ in 0..50 {
        crm.send(&json!({ "hello": "world" })).await;
    }
    crm.enqueue(run).await;

    let batches = crm.process_all().await;

    assert_eq!(batches.len(), 51);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.queue_length().await, 0);
    let archived: i64 = database
        .value("select count(*) from pgmq.a_lead_migration_queue", &[])
        .await;
    assert_eq!(archived, 50);
}
