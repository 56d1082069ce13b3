//! Messages that are due too late, because the server's clock went back or because they were edited.

use crate::support::{Crm, Database};

const LATER: &str = "update pgmq.q_lead_migration_queue set vt = vt + interval '1 hour'";
const IN_AN_HOUR: &str =
    "update pgmq.q_lead_migration_queue set vt = clock_timestamp() + interval '1 hour'";
const IN_A_YEAR: &str =
    "update pgmq.q_lead_migration_queue set vt = clock_timestamp() + interval '1 year'";
const NEVER: &str = "update pgmq.q_lead_migration_queue set vt = 'infinity'";

#[tokio::test]
async fn what_has_no_delay_is_due_whatever_the_clock_says() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let due_by_the_clock =
        "select count(*) from pgmq.q_lead_migration_queue where vt > timestamptz 'epoch'";

    crm.enqueue(run).await;
    assert_eq!(database.value::<i64>(due_by_the_clock, &[]).await, 0);
    crm.process().await;
    assert_eq!(database.value::<i64>(due_by_the_clock, &[]).await, 0);
    crm.control("pause_lead_migration", run).await;
    crm.control("resume_lead_migration", run).await;
    assert_eq!(database.value::<i64>(due_by_the_clock, &[]).await, 0);
}

#[tokio::test]
async fn messages_of_a_move_that_are_due_in_the_far_future_are_due_at_once() {
    for edit in [LATER, IN_AN_HOUR, IN_A_YEAR, NEVER] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let (run, other) = (crm.run_of(2_500).await, crm.run_of(50).await);
        crm.enqueue(run).await;
        crm.process().await;
        database.run(edit).await;
        crm.enqueue(other).await;

        crm.process_all().await;

        crm.all_moved(other).await;
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_message_of_an_application_that_a_clock_back_holds_up_is_due_at_once() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(50).await;
    crm.send(&Crm::message_to(run, crm.target)).await;
    database
        .run(
            "update pgmq.q_lead_migration_queue
             set vt = vt + interval '1 hour', enqueued_at = enqueued_at + interval '1 hour'",
        )
        .await;

    crm.process_all().await;

    crm.all_moved(run).await;
}

#[tokio::test]
async fn a_message_that_an_application_delays_and_one_of_a_paused_move_stay() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (delayed, paused) = (crm.run_of(50).await, crm.run_of(50).await);
    database
        .session()
        .execute(
            "select pgmq.send('lead_migration_queue', $1::jsonb, 3600)",
            &[&Crm::message_to(delayed, crm.target)],
        )
        .await
        .unwrap();
    crm.enqueue(paused).await;
    crm.control("pause_lead_migration", paused).await;

    assert_eq!(crm.process_all().await, []);
    assert_eq!(crm.leads_at(delayed, crm.inbox).await, 50);
    assert_eq!(crm.leads_at(paused, crm.inbox).await, 50);
    assert_eq!(crm.queue_length().await, 2);
}

#[tokio::test]
async fn the_delay_after_a_failure_is_waited_out() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(50).await;
    database
        .fill_disk("before update on public.leads for each row")
        .await;
    crm.enqueue(run).await;
    for _ in 0..9 {
        crm.make_due().await;
        assert!(!crm.process().await.expect("it is due").success);
        assert!(crm.process().await.is_none(), "its delay is not over");
    }
    crm.check().await;
}

#[tokio::test]
async fn a_message_that_another_consumer_has_read_is_due_at_once() {
    for seconds in [30, 590] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(2_500).await;
        crm.enqueue(run).await;
        database
            .run(&format!(
                "select pgmq.read('lead_migration_queue', {seconds}, 3)"
            ))
            .await;

        crm.process_all().await;

        crm.all_moved(run).await;
    }
}
