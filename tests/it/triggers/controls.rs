//! Triggers of the lead table that call our functions within a batch.

use uuid::Uuid;

use crate::support::{Crm, Database};

/// A trigger that calls one of the functions when the lead of that number is written.
async fn call(database: &Database, lead: Uuid, when: &str, call: &str) {
    let body = format!("if new.id = '{lead}' then perform {call}; end if; return new;");
    database.on_leads(when, &body).await;
}

const TRIGGERS: [&str; 3] = [
    "before update on public.leads for each row",
    "after update on public.leads for each row",
    "after update on public.leads deferrable initially deferred for each row",
];

/// Another run that is queued behind; it moves whatever became of the first.
async fn another_moves(crm: &Crm<'_>) {
    let other = crm.run_of(50).await;
    crm.enqueue(other).await;
    crm.process_all().await;
    crm.all_moved(other).await;
}

#[tokio::test]
async fn a_trigger_may_cancel_its_own_move() {
    // In the first batch, in a later one, and in the last.
    for (number, when) in [49, 149, 299].into_iter().zip(TRIGGERS) {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(300).await;
        let lead = crm.lead_ids(run).await[number];
        call(
            &database,
            lead,
            when,
            "public.cancel_lead_migration(new.run_id)",
        )
        .await;
        crm.enqueue(run).await;

        crm.process_all().await;

        // A deferred trigger of the last batch runs when the move has ended.
        let ended = if number == 299 {
            "completed"
        } else {
            "cancelled"
        };
        assert_eq!(crm.status(run).await, ended, "{number}");
        assert_eq!(crm.queue_length().await, 0);
        let moved: i64 = crm.progress(run).await.get("moved");
        assert_eq!(crm.leads_at(run, crm.target).await, moved);
        crm.check().await;
        another_moves(&crm).await;
    }
}

#[tokio::test]
async fn a_trigger_may_cancel_its_own_move_in_the_last_batch_of_the_service() {
    for when in TRIGGERS {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(50).await;
        let lead = crm.lead_ids(run).await[49];
        call(
            &database,
            lead,
            when,
            "public.cancel_lead_migration(new.run_id)",
        )
        .await;
        crm.enqueue(run).await;

        while database.process_as_service(database.session()).await != "idle" {}

        assert_eq!(crm.status(run).await, "cancelled", "{when}");
        assert_eq!(crm.leads_at(run, crm.target).await, 50);
        crm.check().await;
        another_moves(&crm).await;
    }
}

#[tokio::test]
async fn a_trigger_may_pause_its_own_move() {
    for (number, when) in [49, 149, 299].into_iter().zip(TRIGGERS) {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(300).await;
        let lead = crm.lead_ids(run).await[number];
        call(
            &database,
            lead,
            when,
            "public.pause_lead_migration(new.run_id)",
        )
        .await;
        crm.enqueue(run).await;

        crm.process_all().await;

        crm.check().await;
        another_moves(&crm).await;
        // Where nothing was left to be moved, the move has ended.
        if number < 299 {
            assert_eq!(crm.status(run).await, "paused", "{number}");
            crm.control("resume_lead_migration", run).await;
            crm.process_all().await;
        }
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_trigger_that_processes_a_batch_gets_none() {
    for when in TRIGGERS {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(300).await;
        let lead = crm.lead_ids(run).await[49];
        call(
            &database,
            lead,
            when,
            "public.process_lead_migration_batch()",
        )
        .await;
        crm.enqueue(run).await;
        let other = crm.run_of(20).await;
        crm.enqueue(other).await;

        let batches = crm.process_all().await;

        let moved: Vec<i32> = batches.iter().map(|batch| batch.leads_moved).collect();
        if when.contains("deferred") {
            // It runs at the commit, when the batch has ended, and is a call like any other.
            assert_eq!(moved, [100, 100, 100]);
        } else {
            assert_eq!(moved, [100, 20, 100, 100], "{when}");
        }
        crm.all_moved(run).await;
        crm.all_moved(other).await;
    }
}

#[tokio::test]
async fn a_trigger_may_queue_and_cancel_other_moves() {
    for when in TRIGGERS {
        let database = Database::new().await;
        let crm = database.crm().await;
        let (run, queued, cancelled) = (
            crm.run_of(150).await,
            crm.run_of(30).await,
            crm.run_of(30).await,
        );
        let lead = crm.lead_ids(run).await[49];
        let target = crm.target;
        call(
            &database,
            lead,
            when,
            &format!(
                "public.cancel_lead_migration('{cancelled}'),
                 public.queue_lead_migration('{queued}', '{}', '{}')",
                target.funnel, target.column
            ),
        )
        .await;
        crm.enqueue(run).await;
        crm.enqueue(cancelled).await;

        crm.process_all().await;

        assert_eq!(crm.status(cancelled).await, "cancelled");
        assert_eq!(crm.leads_at(cancelled, crm.inbox).await, 30);
        crm.all_moved(run).await;
        crm.all_moved(queued).await;
    }
}

#[tokio::test]
async fn a_cancel_by_a_trigger_is_undone_with_a_batch_that_fails() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[49];
    call(
        &database,
        lead,
        TRIGGERS[0],
        "public.cancel_lead_migration(new.run_id)",
    )
    .await;
    database
        .fill_disk("after update on public.leads for each statement")
        .await;
    crm.enqueue(run).await;

    assert!(!crm.process().await.expect("it is due").success);

    assert_eq!(crm.status(run).await, "pending");
    assert_eq!(crm.leads_at(run, crm.inbox).await, 100);
    crm.check().await;
    database.free_disk().await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "cancelled");
    crm.check().await;
}
