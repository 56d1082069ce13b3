//! Two-phase commit: PostgreSQL does not prepare a transaction that has sent a notification, and queueing a move
//! sends one.

use tokio_postgres::error::SqlState;

use crate::controls::retry::failed_move;
use crate::support::{Crm, OwnServer, enqueue_in};

const ERROR: &str = "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY";

#[tokio::test]
async fn a_transaction_that_has_queued_a_move_cannot_be_prepared() {
    let mut server = OwnServer::start();
    let database = server.database("crm").await;
    database
        .run("alter system set max_prepared_transactions = 5")
        .await;
    server.restart();
    let database = database.reopened().await;
    let crm = database.crm().await;
    let failed = failed_move(&database, &crm).await;
    let paused = crm.run_of(10).await;
    crm.enqueue(paused).await;
    crm.control("pause_lead_migration", paused).await;
    let run = crm.run_of(10).await;
    let target = crm.target;
    let queued = crm.queue_length().await;
    let calls = [
        format!(
            "select queue_lead_migration('{run}', '{}', '{}')",
            target.funnel, target.column
        ),
        format!(
            "select pgmq.send('lead_migration_queue', '{}')",
            Crm::message_to(run, target)
        ),
        format!("select resume_lead_migration('{paused}')"),
        format!("select retry_lead_migration('{failed}')"),
    ];
    for (nth, call) in calls.iter().enumerate() {
        let session = database.open().await;
        session
            .batch_execute(&format!("begin; {call}"))
            .await
            .unwrap();

        let error = session
            .batch_execute(&format!("prepare transaction 'with_call_{nth}'"))
            .await
            .unwrap_err();

        let error = error.as_db_error().expect("the server answers");
        assert_eq!(*error.code(), SqlState::FEATURE_NOT_SUPPORTED, "{call}");
        assert_eq!(error.message(), ERROR, "{call}");
        assert_eq!(crm.queue_length().await, queued, "{call}: it is undone");
    }

    // The way that the documentation gives.
    let session = database.open().await;
    session
        .batch_execute(&format!(
            "begin; update public.runs set name = 'Padarias' where id = '{run}';
             prepare transaction 'without_a_call'"
        ))
        .await
        .expect("without a call it is prepared");
    session
        .batch_execute("commit prepared 'without_a_call'")
        .await
        .unwrap();
    let answer = enqueue_in(&session, run, target, None).await.unwrap();
    assert_eq!(
        (&answer["total"], &answer["run_name"]),
        (&10.into(), &"Padarias".into())
    );
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}

#[test]
fn the_documentation_has_the_error_that_the_server_gives() {
    for page in [
        include_str!("../../../docs/use.md"),
        include_str!("../../../docs/use.pt-BR.md"),
    ] {
        assert!(page.contains(ERROR));
        assert!(page.contains("`0A000`"));
    }
}
