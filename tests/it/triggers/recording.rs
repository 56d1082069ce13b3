//! What an operator's triggers on the queue or the ledger raise while a batch is recorded.

use crate::support::Database;

const RAISED: [&str; 3] = [
    "raise exception 'no'",
    "raise query_canceled",
    "assert false",
];

/// The table raises that for a run while `when` holds; another move goes on, and later this one does.
async fn recording_raises(table: &str, when: &str, raise: &str) {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(250).await, crm.run_of(50).await);
    crm.enqueue(run).await;
    crm.enqueue(other).await;
    let when = when.replace("RUN", &run.to_string());
    database
        .run(&format!(
            "create function public.raise_it() returns trigger language plpgsql as
             $$ begin {raise}; return new; end $$;
             create trigger raise_it before update on {table} for each row when ({when})
             execute function public.raise_it()"
        ))
        .await;

    let batch = crm.process().await.expect("it is recorded, not raised");

    assert_eq!((batch.run_id, batch.success), (Some(run), false), "{raise}");
    assert_eq!(crm.leads_at(run, crm.inbox).await, 250);
    crm.process_all().await;
    assert_eq!(crm.status(other).await, "completed", "{table}: {raise}");
    crm.check().await;
    database
        .run(&format!("drop trigger raise_it on {table}"))
        .await;
    crm.process_to_the_end().await;
    crm.all_moved(run).await;
}

#[tokio::test]
async fn an_error_while_a_message_is_put_back_fails_the_batch_alone() {
    for raise in RAISED {
        let when = "new.msg_id <> old.msg_id and new.message ->> 'run_id' = 'RUN'";
        recording_raises("pgmq.q_lead_migration_queue", when, raise).await;
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_delays_the_message() {
    for raise in RAISED {
        recording_raises("lead_mover.lanes", "new.migration_id = 1", raise).await;
    }
}

#[tokio::test]
async fn an_error_when_the_move_begins_fails_the_batch_alone() {
    for raise in RAISED {
        let when = "new.status = 'processing' and new.run_id = 'RUN'";
        recording_raises("lead_mover.moves", when, raise).await;
    }
}
