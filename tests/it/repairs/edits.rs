//! What others change in the queue or in the ledger before the first batch: it stays no obstacle for other moves.

use crate::support::{Crm, Database};

/// Of a message, so that it is no lane's any more, though it names a run that has an active move.
const CONTENTS: [&str; 6] = [
    "message - 'lane'",
    "message - 'migration_id'",
    r#"message || '{"lane": 7}'"#,
    r#"message || '{"lane": "1"}'"#,
    r#"message || '{"migration_id": 999}'"#,
    "jsonb_build_object('run_id', message -> 'run_id', 'funnel_id', message -> 'funnel_id', 'column_id', message -> 'column_id')",
];

#[tokio::test]
async fn a_message_that_is_edited_before_its_first_batch_holds_up_nobody() {
    for content in CONTENTS {
        let database = Database::new().await;
        let crm = database.crm().await;
        let (edited, other) = (crm.run_of(5).await, crm.run_of(250).await);
        crm.enqueue(edited).await;
        database
            .run(&format!(
                "update pgmq.q_lead_migration_queue set message = {content}"
            ))
            .await;
        crm.enqueue(other).await;

        crm.process_all().await;

        crm.all_moved(edited).await;
        crm.all_moved(other).await;
        assert_eq!(crm.queue_length().await, 0, "{content}");
    }
}

#[tokio::test]
async fn a_message_with_the_id_of_one_of_the_queue_before_holds_up_nobody() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(250).await, crm.run_of(250).await);
    crm.send(&Crm::message_to(run, crm.target)).await;
    crm.process().await.expect("it is adopted");
    database
        .run(
            "select pgmq.drop_queue('lead_migration_queue');
             select pgmq.create('lead_migration_queue')",
        )
        .await;
    crm.send(&Crm::message_to(run, crm.target)).await;
    crm.enqueue(other).await;

    crm.process_all().await;

    crm.all_moved(run).await;
    crm.all_moved(other).await;
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn a_lane_that_names_another_message_gets_its_own() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (edited, other) = (crm.run_of(5).await, crm.run_of(250).await);
    crm.enqueue(edited).await;
    database
        .run("update lead_mover.lanes set message_id = 999999")
        .await;
    crm.enqueue(other).await;

    crm.process_all().await;

    crm.all_moved(edited).await;
    crm.all_moved(other).await;
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn a_move_whose_lanes_are_deleted_fails_and_can_be_queued_again() {
    for then in ["", "select pgmq.purge_queue('lead_migration_queue')"] {
        for asks_again in [false, true] {
            let database = Database::new().await;
            let crm = database.crm().await;
            let (lost, other) = (crm.run_of(2_500).await, crm.run_of(250).await);
            let first = crm.enqueue(lost).await;
            let delete = format!("delete from lead_mover.lanes; {then}");
            database.run(&delete).await;
            crm.enqueue(other).await;

            if asks_again {
                let second = crm.enqueue(lost).await;
                assert_ne!(second["migration_id"], first["migration_id"]);
                assert_eq!(second["total"], 2_500);
            }
            crm.process_all().await;

            crm.all_moved(other).await;
            let status = "select status from lead_mover.moves where to_jsonb(migration_id) = $1";
            let status: String = database.value(status, &[&first["migration_id"]]).await;
            assert_eq!(status, "failed");
            assert_eq!(crm.queue_length().await, 0);
            if asks_again || then.is_empty() {
                crm.all_moved(lost).await; // Its messages were adopted as an application's, if nobody asked.
            }
        }
    }
}
