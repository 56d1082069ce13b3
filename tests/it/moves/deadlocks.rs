//! Applications that lock leads in another order than a batch does.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::moves::user_changes::counts;
use crate::support::{Database, Gate, Session, eventually, is_local, process_in};

const TOUCH: &str = "update public.leads set phone = '11 5555' where id = $1";

async fn touch(session: &Session, lead: Uuid) -> Result<u64, tokio_postgres::Error> {
    session.execute(TOUCH, &[&lead]).await
}

#[tokio::test]
async fn an_application_that_updates_the_leads_backwards_waits_for_one_batch_at_most() {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    let leads = crm.lead_ids(run).await;
    let gate = Gate::close(&database).await;
    let (worker, application) = (database.open().await, database.open_as("person").await);
    // The application has locked the end of the batch when the batch begins …
    application.batch_execute("begin").await.unwrap();
    for lead in leads[90..100].iter().rev() {
        touch(&application, *lead).await.unwrap();
    }

    let (batch, ()) = tokio::join!(process_in(&worker, None), async {
        gate.reached_by(1).await;
        // … and goes on to what the batch has locked.
        let going_on = async {
            for lead in leads[..90].iter().rev() {
                touch(&application, *lead).await.expect("no deadlock");
            }
            application.batch_execute("commit").await.unwrap();
        };
        tokio::join!(going_on, async {
            database.blocked("set phone").await;
            gate.open().await;
        });
    });

    assert_eq!(batch.unwrap().expect("it was due").leads_moved, 90);
    crm.check().await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (150, 150, 0, 0));
    let both: i64 = database
        .value(
            "select count(*) from public.leads where phone = '11 5555' and column_id = $1",
            &[&crm.target.column],
        )
        .await;
    assert_eq!(both, 100, "no update is lost");
    database.check_writes(100).await;
    crm.check().await;
}

/// Makes the session look for a deadlock when it has waited so long for a lock. The one that finds a deadlock
/// fails.
async fn looks_for_deadlocks_after(session: &Session, timeout: &str) {
    session
        .batch_execute(&format!("set deadlock_timeout = '{timeout}'"))
        .await
        .unwrap();
}

/// A trigger that counts the updates of leads in a row that all sessions share.
async fn count_updates(database: &Database) {
    database
        .run(
            "create table public.counters (updates bigint not null);
             insert into public.counters values (0);
             create function public.count_update() returns trigger language plpgsql set lock_timeout = 0 as
             $$ begin update public.counters set updates = updates + 1; return null; end $$;
             create trigger z_count after update on public.leads
             for each statement when (current_setting('application_name') <> 'person')
             execute function public.count_update()",
        )
        .await;
}

/// A batch has locked its leads and waits for the counter. An application has locked the counter and waits for
/// one of the leads.
async fn deadlock(database: &Database, victim: &str) {
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    count_updates(database).await;
    let lead = crm.lead_ids(run).await[0];
    let gate = Gate::close(database).await; // batches wait here before they count
    let (worker, application) = (database.open().await, database.open_as("person").await);
    for (session, name) in [(&worker, "batch"), (&application, "application")] {
        let timeout = if name == victim { "10ms" } else { "1h" };
        looks_for_deadlocks_after(session, timeout).await;
    }
    application
        .batch_execute("begin; update public.counters set updates = 7")
        .await
        .unwrap();

    // The victim is the one that waits last.
    let (batch, touched) = tokio::join!(process_in(&worker, None), async {
        gate.reached_by(1).await;
        let touched = if victim == "batch" {
            let (touched, ()) = tokio::join!(touch(&application, lead), async {
                database.blocked("set phone").await;
                gate.open().await;
            });
            touched
        } else {
            gate.open().await;
            eventually("the batch waits for the counter", async || {
                database.waiting_for("transactionid").await == 1
            })
            .await;
            touch(&application, lead).await
        };
        application
            .batch_execute("commit")
            .await
            .expect("a failed transaction is rolled back");
        touched
    });

    let batch = batch.expect("it is recorded").expect("it was due");
    let attempts: i32 = crm.progress(run).await.get("attempts");
    if victim == "batch" {
        touched.expect("no error");
        assert!(
            !batch.success && batch.error_message.contains("deadlock"),
            "{batch:?}"
        );
        assert_eq!((attempts, crm.leads_at(run, crm.inbox).await), (1, 150));
    } else {
        let error = touched.expect_err("a deadlock");
        assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED));
        assert_eq!((batch.leads_moved, batch.success, attempts), (100, true, 0));
    }
    crm.check().await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (150, 150, 0, 0));
    assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 0);
    crm.check().await;
}

#[tokio::test]
async fn a_batch_that_ends_in_a_deadlock_is_undone_and_comes_back() {
    if !is_local() {
        return; // `deadlock_timeout` needs a superuser.
    }
    let database = Database::new().await;
    deadlock(&database, "batch").await;
}

#[tokio::test]
async fn a_batch_goes_on_when_the_application_is_the_victim_of_a_deadlock() {
    if !is_local() {
        return; // `deadlock_timeout` needs a superuser.
    }
    let database = Database::new().await;
    deadlock(&database, "application").await;
}
