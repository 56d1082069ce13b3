//! Messages that others took out of the queue, changed or hold back: the move goes on by itself.

use serde_json::json;

use crate::support::{Crm, Database};

/// What others may do to all messages in the queue.
const DAMAGES: [(&str, &str); 12] = [
    ("purged", "select pgmq.purge_queue('lead_migration_queue')"),
    ("truncated", "truncate pgmq.q_lead_migration_queue"),
    (
        "popped",
        "do $$ begin for i in 1..2 loop perform pgmq.pop('lead_migration_queue'); end loop; end $$",
    ),
    (
        "archived",
        "select pgmq.archive('lead_migration_queue', msg_id) from pgmq.q_lead_migration_queue",
    ),
    (
        "deleted",
        "select pgmq.delete('lead_migration_queue', msg_id) from pgmq.q_lead_migration_queue",
    ),
    (
        "emptied",
        "update pgmq.q_lead_migration_queue set message = '{}'",
    ),
    (
        "given another lane",
        "update pgmq.q_lead_migration_queue set message = message || '{\"lane\": 99}'",
    ),
    (
        "exchanged",
        "update pgmq.q_lead_migration_queue q set message = o.message
         from pgmq.q_lead_migration_queue o
         where o.msg_id = (select min(i.msg_id) from pgmq.q_lead_migration_queue i where i.msg_id <> q.msg_id)",
    ),
    (
        "given other ids",
        "update pgmq.q_lead_migration_queue set msg_id = default",
    ),
    (
        "read by another for a day",
        "select pgmq.read('lead_migration_queue', 86400, 10)",
    ),
    (
        "dropped",
        "select pgmq.drop_queue('lead_migration_queue')",
    ),
    (
        "dropped and made again",
        "select pgmq.drop_queue('lead_migration_queue'); select pgmq.create('lead_migration_queue')",
    ),
];

/// A move of three lanes, in the middle of which the queue is damaged.
async fn damaged<'db>(database: &'db Database, damage: &str) -> (Crm<'db>, uuid::Uuid) {
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.enqueue(run).await;
    for _ in 0..4 {
        crm.process().await.expect("it is due");
    }
    database
        .run(&format!("set client_min_messages = warning; {damage}"))
        .await;
    (crm, run)
}

#[tokio::test]
async fn queueing_the_run_again_sends_what_is_missing() {
    for (what, damage) in DAMAGES {
        let database = Database::new().await;
        let (crm, run) = damaged(&database, damage).await;
        let before: i64 = crm.progress(run).await.get("migration_id");

        assert_eq!(crm.enqueue(run).await["migration_id"], before, "{what}");
        crm.process_all().await;

        assert_eq!(crm.status(run).await, "completed", "{what}");
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_call_that_finds_nothing_due_sends_what_is_missing() {
    for (what, damage) in DAMAGES {
        let database = Database::new().await;
        let (crm, run) = damaged(&database, damage).await;

        crm.process_all().await;

        assert_eq!(crm.status(run).await, "completed", "{what}");
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_session_of_the_service_sends_what_is_missing() {
    for (what, damage) in DAMAGES {
        let database = Database::new().await;
        let (crm, run) = damaged(&database, damage).await;
        let worker = database.open().await;

        while database.process_as_service(&worker).await != "idle" {}

        assert_eq!(crm.status(run).await, "completed", "{what}");
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_paused_move_whose_message_is_gone_goes_on_when_it_is_resumed() {
    for (what, damage) in DAMAGES {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        crm.enqueue(run).await;
        crm.process().await;
        crm.control("pause_lead_migration", run).await;
        database
            .run(&format!("set client_min_messages = warning; {damage}"))
            .await;

        assert!(crm.process_all().await.iter().all(|batch| !batch.success));
        assert_eq!(crm.leads_at(run, crm.target).await, 100, "{what}");
        let answer = crm.control("resume_lead_migration", run).await;
        assert_eq!(answer["success"], true, "{what}: {answer}");
        crm.process_all().await;

        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_move_whose_messages_are_gone_can_be_cancelled() {
    for (what, damage) in DAMAGES {
        let database = Database::new().await;
        let (crm, run) = damaged(&database, damage).await;

        let answer = crm.control("cancel_lead_migration", run).await;

        assert_eq!(answer["success"], true, "{what}: {answer}");
        crm.process_all().await;
        assert_eq!(crm.status(run).await, "cancelled", "{what}");
        assert_eq!(crm.leads_at(run, crm.target).await, 400, "{what}");
        crm.check().await;
    }
}

#[tokio::test]
async fn a_lost_message_is_sent_again_while_the_first_batch_of_its_move_is_open() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let queued = crm.enqueue(run).await;
    let worker = database.open().await;
    worker.batch_execute("begin").await.expect("it is open");
    assert_eq!(database.process_as_service(&worker).await, "moved");
    let delete = "with lost as (
                  delete from pgmq.q_lead_migration_queue where to_jsonb(msg_id) <> $1 returning msg_id
                )
                select count(*) from lost";
    let lost: i64 = database.value(delete, &[&queued["message_id"]]).await;
    assert_eq!(lost, 2);

    database.run("set lock_timeout = '1s'").await; // it would wait for as long as the batch is open
    let repaired: i32 = database.value("select lead_mover.repair()", &[]).await;

    assert_eq!(repaired, 2);
    worker.batch_execute("commit").await.expect("it ends");
    crm.process_all().await;
    crm.all_moved(run).await;
}

#[tokio::test]
async fn what_belongs_to_another_move_is_left_alone() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (lost, other) = (crm.run_of(250).await, crm.run_of(250).await);
    crm.enqueue(lost).await;
    let queued = crm.enqueue(other).await;
    database
        .run(&format!(
            "delete from pgmq.q_lead_migration_queue where message ->> 'run_id' = '{lost}'"
        ))
        .await;

    crm.enqueue(lost).await;

    let kept = "select count(*) from pgmq.q_lead_migration_queue where to_jsonb(msg_id) = $1";
    let kept: i64 = database.value(kept, &[&queued["message_id"]]).await;
    assert_eq!(kept, 1);
    assert_eq!(crm.queue_length().await, 2);
    assert_ne!(queued["message_id"], json!(null));
    crm.process_all().await;
    crm.all_moved(lost).await;
    crm.all_moved(other).await;
}
