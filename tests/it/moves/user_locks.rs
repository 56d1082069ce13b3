//! Leads that another transaction has locked: a later batch moves them, and no session waits for another.

use uuid::Uuid;

use crate::support::{Crm, Database, Gate, Session, process_in};

/// Locks those leads as a user's update would; released by `rollback`.
pub(crate) async fn lock(session: &Session, leads: &[Uuid]) {
    session.batch_execute("begin").await.unwrap();
    let locked = session
        .execute(
            "update public.leads set phone = phone where id = any ($1)",
            &[&leads],
        )
        .await
        .unwrap();
    assert_eq!(locked, leads.len() as u64);
}

async fn locked_leads_are_moved_once_unlocked(position: usize) {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    let locked = crm.lead_ids(run).await[position..position + 3].to_vec();
    let user = database.open().await;
    lock(&user, &locked).await;
    // The user's transaction does not end, so a session that waits for it runs into this time-out.
    database.run("set statement_timeout = '10s'").await;

    // Due again and again, without ever being done.
    for _ in 0..8 {
        crm.make_due().await;
        assert!(crm.process().await.expect("it is due").success);
    }

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "processing");
    assert_eq!(progress.get::<_, i64>("moved"), 247);
    assert_eq!(progress.get::<_, i64>("remaining"), 3);
    assert_eq!(crm.leads_at(run, crm.target).await, 247);
    assert!(
        crm.process().await.is_none(),
        "with nothing but locked leads it waits before it looks again"
    );
    crm.check().await;

    user.batch_execute("rollback").await.unwrap();
    crm.make_due().await;
    let last = crm.process().await.expect("it is due");

    assert_eq!((last.leads_moved, last.leads_remaining), (3, 0));
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    crm.check().await;
}

#[tokio::test]
async fn leads_locked_at_the_head_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(0).await;
}

#[tokio::test]
async fn leads_locked_in_the_middle_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(124).await;
}

#[tokio::test]
async fn leads_locked_at_the_tail_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(247).await;
}

#[tokio::test]
async fn a_move_all_of_whose_leads_are_locked_waits_for_them() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(1_050).await;
    crm.enqueue(run).await;
    let user = database.open().await;
    lock(&user, &crm.lead_ids(run).await).await;

    for _ in 0..15 {
        crm.make_due().await;
        assert_eq!(crm.process().await.expect("it is due").leads_moved, 0);
    }
    user.batch_execute("rollback").await.unwrap();
    let batches = crm.process_to_the_end().await;

    assert!(batches.iter().all(|batch| batch.leads_moved <= 100));
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 1_050);
    crm.check().await;
}

#[tokio::test]
async fn what_the_holder_of_a_lock_did_is_respected() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(100).await, crm.run_of(0).await);
    crm.enqueue(run).await;
    let leads = crm.lead_ids(run).await;
    let user = database.open().await;
    lock(&user, &leads[..3]).await;
    crm.process().await;

    user.execute("delete from public.leads where id = $1", &[&leads[0]])
        .await
        .unwrap();
    user.execute(
        "update public.leads set funnel_id = $2, column_id = $3 where id = $1",
        &[&leads[1], &crm.target.funnel, &crm.target.column],
    )
    .await
    .unwrap();
    user.execute(
        "update public.leads set run_id = $2 where id = $1",
        &[&leads[2], &other],
    )
    .await
    .unwrap();
    user.batch_execute("commit").await.unwrap();
    crm.process_to_the_end().await;

    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "completed");
    assert_eq!(progress.get::<_, i64>("moved"), 97);
    assert_eq!(progress.get::<_, i64>("remaining"), 0);
    assert_eq!(crm.leads_at(run, crm.target).await, 98);
    assert_eq!(crm.leads_at(other, crm.inbox).await, 1);
    crm.check().await;
}

async fn with_notes(database: &Database) {
    database
        .run(
            "create table public.notes (
               id bigint generated always as identity primary key,
               lead_id uuid not null references public.leads (id)
             )",
        )
        .await;
}

async fn add_notes(session: &Session, crm: &Crm<'_>, run: Uuid) {
    let leads = crm.lead_ids(run).await;
    session
        .execute(
            "insert into public.notes (lead_id) select unnest($1::uuid[])",
            &[&leads],
        )
        .await
        .expect("adding a note does not wait for a batch");
}

/// With a locked lead in its way, a batch takes the slow path.
#[tokio::test]
async fn a_note_added_under_a_lead_does_not_hold_up_its_move() {
    for locked in [0_u8, 1] {
        let database = Database::new().await;
        with_notes(&database).await;
        let crm = database.crm().await;
        let run = crm.run_of(100).await;
        crm.enqueue(run).await;
        let (writer, user) = (database.open().await, database.open().await);
        writer.batch_execute("begin").await.unwrap();
        add_notes(&writer, &crm, run).await;
        lock(
            &user,
            &crm.lead_ids(run).await[40..40 + usize::from(locked)],
        )
        .await;

        let batch = crm.process().await.expect("it is due");

        assert_eq!(batch.leads_moved, 100 - i32::from(locked));
        assert_eq!(batch.leads_remaining, i64::from(locked));
        writer.batch_execute("commit").await.unwrap();
        user.batch_execute("rollback").await.unwrap();
        crm.process_to_the_end().await;
        assert_eq!(crm.status(run).await, "completed");
    }
}

#[tokio::test]
async fn a_lead_that_is_being_moved_does_not_hold_up_its_notes() {
    let database = Database::new().await;
    with_notes(&database).await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    crm.enqueue(run).await;
    let gate = Gate::close(&database).await;
    let (worker, user) = (database.open().await, database.open().await);

    let (batch, ()) = tokio::join!(process_in(&worker, None), async {
        gate.reached_by(1).await;
        user.batch_execute("set lock_timeout = '10s'") // the batch does not end before
            .await
            .unwrap();
        add_notes(&user, &crm, run).await;
        gate.open().await;
    });

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 100);
    assert_eq!(
        database
            .value::<i64>("select count(*) from public.notes", &[])
            .await,
        100
    );
}
