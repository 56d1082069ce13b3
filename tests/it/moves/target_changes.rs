//! The target changes while batches run: it is deleted, against its foreign key, or moved.

use uuid::Uuid;

use crate::moves::user_changes::counts;
use crate::support::{Crm, Database, Gate, process_in};

async fn delete_column(database: &Database, column: Uuid) {
    let deleted = database
        .session()
        .execute("delete from public.columns where id = $1", &[&column])
        .await
        .unwrap();
    assert_eq!(deleted, 1);
}

/// A gate at which batches have checked their target, and written nothing yet.
async fn gate_before_the_leads(database: &Database) -> Gate {
    let gate = Gate::close(database).await;
    database
        .run(
            "drop trigger pass_gate on public.leads;
             create trigger pass_gate before update on public.leads
             for each statement when (current_setting('application_name') <> 'person')
             execute function public.pass_gate()",
        )
        .await;
    gate
}

async fn the_cause_is_the_target(database: &Database, crm: &Crm<'_>, run: Uuid) {
    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "failed");
    let cause: String = progress.get("last_error");
    assert!(cause.contains(&crm.target.column.to_string()), "{cause}");
    assert!(cause.contains("não existe mais no funil"), "{cause}");
    assert_eq!(progress.get::<_, i64>("rejected"), 0);
    assert_eq!(crm.queue_length().await, 0);
    let reasons: Vec<String> = database
        .value(
            "select array_agg(distinct message ->> 'error') from pgmq.a_lead_migration_queue",
            &[],
        )
        .await;
    assert_eq!(reasons, [cause]);
    crm.check().await;
}

#[tokio::test]
async fn a_target_deleted_during_a_batch_rejects_none_of_its_leads() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    let gate = gate_before_the_leads(&database).await;
    let worker = database.open().await;

    let (batch, ()) = tokio::join!(process_in(&worker, None), async {
        gate.reached_by(1).await;
        delete_column(&database, crm.target.column).await;
        gate.open().await;
    });

    assert!(!batch.unwrap().expect("it was due").success);
    assert_eq!(counts(&crm, run).await, (250, 0, 250, 0));
    crm.check().await;
    crm.process_to_the_end().await;
    the_cause_is_the_target(&database, &crm, run).await;
    assert_eq!(crm.leads_at(run, crm.inbox).await, 250);
}

#[tokio::test]
async fn a_target_moved_to_another_funnel_fails_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await; // several lanes
    let other = crm.another_target().await;
    crm.enqueue(run).await;
    crm.process().await;
    database
        .session()
        .execute(
            "update public.columns set funnel_id = $2 where id = $1",
            &[&crm.target.column, &other.funnel],
        )
        .await
        .unwrap();

    crm.process_to_the_end().await;

    the_cause_is_the_target(&database, &crm, run).await;
    assert_eq!(counts(&crm, run).await, (2_500, 100, 2_400, 0));
    assert_eq!(crm.leads_at(run, crm.inbox).await, 2_400);
}

#[tokio::test]
async fn a_target_emptied_and_deleted_during_the_batches_of_three_lanes_fails_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.enqueue(run).await;
    crm.process().await;
    let gate = gate_before_the_leads(&database).await;
    let (first, second, third, user) = (
        database.open().await,
        database.open().await,
        database.open().await,
        database.open_as("person").await,
    );

    let (one, two, three, ()) = tokio::join!(
        process_in(&first, None),
        process_in(&second, None),
        process_in(&third, None),
        async {
            gate.reached_by(3).await;
            let delete = "delete from public.columns where id = $1";
            let denied = database
                .session()
                .execute(delete, &[&crm.target.column])
                .await
                .expect_err("leads are there");
            assert_eq!(denied.code().expect("a code").code(), "23503");
            // What a user does then.
            user.execute(
                "update public.leads set column_id = null where column_id = $1",
                &[&crm.target.column],
            )
            .await
            .unwrap();
            delete_column(&database, crm.target.column).await;
            gate.open().await;
        }
    );

    for batch in [one, two, three] {
        assert!(!batch.unwrap().expect("it was due").success);
    }
    assert_eq!(counts(&crm, run).await, (2_500, 100, 2_400, 0));
    crm.check().await;
    crm.process_to_the_end().await;
    the_cause_is_the_target(&database, &crm, run).await;
    assert_eq!(crm.leads_at(run, crm.inbox).await, 2_400);
}

#[tokio::test]
async fn a_run_deleted_with_its_leads_ends_its_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(2_500).await, crm.run_of(150).await);
    crm.enqueue(run).await;
    crm.enqueue(other).await;
    crm.process().await;
    database
        .run(&format!(
            "delete from public.leads where run_id = '{run}'; delete from public.runs where id = '{run}'"
        ))
        .await;

    let batches = crm.process_all().await;

    assert!(batches.iter().all(|batch| batch.success), "{batches:?}");
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (2_500, 100, 0, 0));
    assert_eq!(crm.status(other).await, "completed");
    crm.check().await;
}

#[tokio::test]
async fn a_run_deleted_without_its_leads_is_moved_to_the_end_and_can_be_cancelled() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (moved, cancelled) = (crm.run_of(250).await, crm.run_of(250).await);
    crm.enqueue(moved).await;
    crm.enqueue(cancelled).await;
    crm.process().await;
    database.run("delete from public.runs").await;

    let answer = crm.control("cancel_lead_migration", cancelled).await;
    crm.process_all().await;

    assert_eq!(answer["cancelled_messages"], 1);
    assert_eq!(crm.status(moved).await, "completed");
    assert_eq!(crm.leads_at(moved, crm.target).await, 250);
    assert_eq!(
        crm.progress(moved).await.get::<_, String>("run_name"),
        "Restaurantes - 10/12/2025 09:07"
    );
    crm.check().await;
}
