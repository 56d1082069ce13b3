//! The queue, or a part of it, is missing: dropped, or left out of a dump.

use crate::support::Database;

/// What a restore without the queue's tables, or an operator who clears up, leaves behind.
const MISSING: [(&str, &str); 6] = [
    (
        "queue and archive",
        "drop table pgmq.q_lead_migration_queue, pgmq.a_lead_migration_queue;
         delete from pgmq.meta where queue_name = 'lead_migration_queue'",
    ),
    (
        "the tables, not the name",
        "drop table pgmq.q_lead_migration_queue, pgmq.a_lead_migration_queue",
    ),
    ("queue", "drop table pgmq.q_lead_migration_queue"),
    ("archive", "drop table pgmq.a_lead_migration_queue"),
    (
        "trigger",
        "drop trigger lead_migration_queued on pgmq.q_lead_migration_queue",
    ),
    (
        "the check of senders",
        "drop trigger lead_migration_sent on pgmq.q_lead_migration_queue",
    ),
];

/// The schema afterwards must have the queue's triggers, and its archive.
async fn is_whole(database: &Database) -> bool {
    database
        .value(
            "select count(*) = 4 and to_regclass('pgmq.a_lead_migration_queue') is not null
             from pg_trigger where tgrelid = to_regclass('pgmq.q_lead_migration_queue')",
            &[],
        )
        .await
}

#[tokio::test]
async fn migrate_makes_what_is_missing_and_the_move_goes_on() {
    for (what, remove) in MISSING {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(2_500).await;
        crm.enqueue(run).await;
        crm.process().await;
        database.run(remove).await;

        let migrated = database.migrate(&[]).await;

        assert_eq!(migrated.status, Some(0), "{what}: {migrated:?}");
        assert!(is_whole(&database).await, "{what}");
        crm.process_all().await;
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn queueing_a_run_makes_what_is_missing() {
    for (what, remove) in MISSING {
        let database = Database::new().await;
        let crm = database.crm().await;
        let (run, other) = (crm.run_of(250).await, crm.run_of(50).await);
        crm.enqueue(run).await;
        crm.process().await;
        database.run(remove).await;

        crm.enqueue(other).await;

        assert!(is_whole(&database).await, "{what}");
        crm.process_all().await;
        crm.all_moved(other).await;
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_session_of_the_service_makes_what_is_missing() {
    for (what, remove) in MISSING {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        crm.enqueue(run).await;
        crm.process().await;
        database.run(remove).await;
        let worker = database.open().await;

        while database.process_as_service(&worker).await != "idle" {}

        assert!(is_whole(&database).await, "{what}");
        crm.all_moved(run).await;
    }
}
