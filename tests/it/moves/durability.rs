//! Which batches wait until the disk has them.

use crate::support::{Crm, Database, Session};

/// A database whose sessions wait for the disk; the tests' server has them not wait.
async fn waiting_for_the_disk() -> Database {
    let database = Database::new().await;
    database.set(&["synchronous_commit = on"]).await;
    database
}

/// Processes a batch as the service does, and returns with which `synchronous_commit` it commits.
async fn commit_of_a_batch(session: &Session) -> String {
    session.batch_execute("begin").await.unwrap();
    let outcome: String = session
        .query_one("select outcome from lead_mover.process_batch()", &[])
        .await
        .unwrap()
        .get(0);
    assert_ne!(outcome, "idle");
    let commit = session
        .query_one("show synchronous_commit", &[])
        .await
        .unwrap()
        .get(0);
    session.batch_execute("commit").await.unwrap();
    commit
}

async fn run_of_three_batches(crm: &Crm<'_>) {
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
}

#[tokio::test]
async fn batches_that_leave_work_do_not_wait_for_the_disk_and_the_last_does() {
    let database = waiting_for_the_disk().await;
    let crm = database.crm().await;
    run_of_three_batches(&crm).await;
    let session = database.open().await;

    let mut commits = Vec::new();
    for _ in 0..3 {
        commits.push(commit_of_a_batch(&session).await);
    }

    assert_eq!(commits, ["off", "off", "on"]);
}

#[tokio::test]
async fn a_batch_with_a_rejection_and_one_that_fails_wait_for_the_disk() {
    let database = waiting_for_the_disk().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let leads = crm.lead_ids(run).await;
    database
        .run(&format!(
            "create function public.raise_it() returns trigger language plpgsql as
             $$ begin raise exception 'raised by the test' using errcode = tg_argv[0]; end $$;
             create trigger reject before update on public.leads
             for each row when (new.id = '{}') execute function public.raise_it('P0001');
             create trigger fail before update on public.leads
             for each row when (new.id = '{}') execute function public.raise_it('53100')",
            leads[10], leads[110]
        ))
        .await;
    crm.enqueue(run).await;
    let session = database.open().await;

    assert_eq!(commit_of_a_batch(&session).await, "on", "a rejection");
    assert_eq!(commit_of_a_batch(&session).await, "on", "a failure");
}

#[tokio::test]
async fn a_session_with_a_setting_of_its_own_keeps_it() {
    let database = waiting_for_the_disk().await;
    let crm = database.crm().await;
    run_of_three_batches(&crm).await;
    let session = database.open().await;
    // As `options` in the connection string does it.
    session
        .batch_execute("set synchronous_commit = on")
        .await
        .unwrap();

    let row = session
        .query_one(
            "select b.outcome, current_setting('synchronous_commit') from lead_mover.process_batch() b",
            &[],
        )
        .await
        .unwrap();

    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1)),
        ("moved", "on")
    );
}

#[tokio::test]
async fn a_batch_in_the_transaction_of_an_application_leaves_its_commit_alone() {
    let database = waiting_for_the_disk().await;
    let crm = database.crm().await;
    run_of_three_batches(&crm).await;
    let session = database.open().await;
    session.batch_execute("begin").await.unwrap();

    let row = session
        .query_one(
            "select b.success, current_setting('synchronous_commit') from public.process_lead_migration_batch() b",
            &[],
        )
        .await
        .unwrap();

    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, &str>(1), "on");
}
