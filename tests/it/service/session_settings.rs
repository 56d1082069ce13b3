//! Whatever a role or a database sets for its sessions: isolation, time-outs, formats, what is read-only.

use tokio_postgres::error::SqlState;

use crate::moves::user_changes::counts;
use crate::support::{
    Database, Service, Session, command, control_in, enqueue_in, eventually, finish, process_in,
};

/// Calls it until it is not in conflict with another.
async fn again<T>(mut call: impl AsyncFnMut() -> Result<T, tokio_postgres::error::DbError>) -> T {
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert_eq!(
                *error.code(),
                SqlState::T_R_SERIALIZATION_FAILURE,
                "{error}"
            ),
        }
    }
}

async fn work(session: &Session) {
    while again(async || process_in(session, None).await)
        .await
        .is_some()
    {}
}

async fn every_function_works_under(isolation: &str) {
    let database = Database::new().await;
    database.note_writes().await;
    let isolation = format!("default_transaction_isolation = '{isolation}'");
    database.set(&[&isolation]).await;
    let crm = database.crm().await;
    let (moved, cancelled, paused) = (
        crm.run_of(2_100).await,
        crm.run_of(2_100).await,
        crm.run_of(2_100).await,
    );
    let target = crm.target;
    let (application, first, second) = (
        database.open().await,
        database.open().await,
        database.open().await,
    );
    for run in [moved, cancelled, paused] {
        let answer = again(async || enqueue_in(&application, run, target, None).await).await;
        assert_eq!(answer["total"], 2_100);
    }

    let ((), (), (cancel, pause)) = tokio::join!(work(&first), work(&second), async {
        let cancel =
            again(async || control_in(&application, "cancel_lead_migration", cancelled).await);
        let cancel = cancel.await;
        let written = crm.leads_at(cancelled, target).await;
        assert_eq!(
            cancel["leads_moved"], written,
            "at the moment of the cancel"
        );
        let pause =
            again(async || control_in(&application, "pause_lead_migration", paused).await).await;
        (cancel, pause)
    });
    assert_eq!(crm.status(cancelled).await, "cancelled");
    assert_eq!(crm.leads_at(cancelled, target).await, cancel["leads_moved"]);
    assert_eq!(crm.status(paused).await, "paused");
    assert_eq!(crm.leads_at(paused, target).await, pause["leads_moved"]);
    crm.check().await;

    again(async || control_in(&application, "resume_lead_migration", paused).await).await;
    crm.process_to_the_end().await;
    for run in [moved, paused] {
        assert_eq!(crm.status(run).await, "completed");
        assert_eq!(counts(&crm, run).await, (2_100, 2_100, 0, 0));
    }
    database.check_writes(100).await;
    crm.check().await;
}

#[tokio::test]
async fn under_repeatable_read_functions_work_or_are_told_to_try_again() {
    every_function_works_under("repeatable read").await;
}

#[tokio::test]
async fn under_serializable_functions_work_or_are_told_to_try_again() {
    every_function_works_under("serializable").await;
}

async fn the_service_completes_a_run_under(isolation: &str) {
    let database = Database::new().await;
    database.note_writes().await;
    let isolation = format!("default_transaction_isolation = '{isolation}'");
    database.set(&[&isolation]).await;
    let crm = database.crm().await;
    let run = crm.run_of(5_000).await;
    let service = Service::start(&database, &["--poll-interval", "1h", "--workers", "4"]).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(counts(&crm, run).await, (5_000, 5_000, 0, 0));
    assert_eq!(crm.leads_at(run, crm.target).await, 5_000);
    database.check_writes(100).await;
    crm.check().await;
    assert_eq!(
        service.count_logged("database not reached; trying again"),
        0,
        "workers in each other's way are not out of reach: {:?}",
        service.log()
    );
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn the_service_completes_a_run_under_repeatable_read() {
    the_service_completes_a_run_under("repeatable read").await;
}

#[tokio::test]
async fn the_service_completes_a_run_under_serializable() {
    the_service_completes_a_run_under("serializable").await;
}

#[tokio::test]
async fn a_role_that_may_only_read_is_told_so() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    database.set(&["default_transaction_read_only = on"]).await;
    let session = database.open().await;

    let error = process_in(&session, None).await.expect_err("read-only");
    assert_eq!(*error.code(), SqlState::READ_ONLY_SQL_TRANSACTION);
    let ids = [run, crm.target.funnel, crm.target.column].map(|id| id.to_string());
    for arguments in [&["cancel", &ids[0]][..], &["pause", &ids[0]]] {
        let finished =
            finish(command(arguments).env("DATABASE_URL", database.connection_string())).await;
        assert_eq!(finished.status, Some(1), "{finished:?}");
        assert!(
            finished.stderr.contains("read-only transaction"),
            "{finished:?}"
        );
        assert!(finished.stderr.contains("25006"), "{finished:?}");
    }
    let url = database.connection_string();
    let status = finish(command(&["status"]).env("DATABASE_URL", &url)).await;
    assert_eq!(status.status, Some(0), "reading is allowed: {status:?}");

    let service =
        Service::start_unready(&database.connection_string(), &["--poll-interval", "1h"]).await;
    eventually("the service has noticed", async || {
        service.count_logged("no batch can be processed; trying again") == 1
    })
    .await;
    assert_eq!(service.readyz().await.0, 503);
    let line = service
        .log()
        .into_iter()
        .find(|line| line["message"] == "no batch can be processed; trying again")
        .expect("it was counted");
    assert!(
        line["error"]
            .as_str()
            .expect("a text")
            .contains("read-only"),
        "{line}"
    );

    database
        .run(&format!(
            "alter database {} reset default_transaction_read_only",
            database.name()
        ))
        .await;
    crm.completed(run).await;
    service.ready().await;
    assert_eq!(service.stop().await, Some(0));
}
