//! The SQL function `lead_mover.doctor` as an administrator calls it in psql, whose session has settings and
//! transactions of its own.

use crate::support::{Database, OwnServer, Session};

/// Status, finding and advice of one check.
async fn check(session: &Session, name: &str) -> (String, String, Option<String>) {
    let row = session
        .query_one(
            "select status, found, advice from lead_mover.doctor() where check_name = $1",
            &[&name],
        )
        .await
        .expect("it answers");
    (row.get(0), row.get(1), row.get(2))
}

async fn assert_ok(session: &Session, name: &str) {
    let (status, found, advice) = check(session, name).await;
    assert_eq!((status.as_str(), advice), ("ok", None), "{name}: {found}");
}

/// The check is not ok. The statement that it advises to run changes that.
async fn follow_advice(session: &Session, name: &str, statement: &str) {
    let (status, found, advice) = check(session, name).await;
    assert_ne!(status, "ok", "{name}: {found}");
    assert_eq!(advice, Some(format!("run: {statement}")), "{found}");
    session.batch_execute(statement).await.unwrap();
    assert_ok(session, name).await;
}

#[tokio::test]
async fn what_the_session_has_set_is_to_be_reset_there() {
    let database = Database::new().await;
    let session = database.open().await;

    session
        .batch_execute("set statement_timeout = '999ms'; set default_transaction_read_only = on")
        .await
        .unwrap();

    follow_advice(&session, "writable", "reset default_transaction_read_only;").await;
    follow_advice(&session, "statement_timeout", "reset statement_timeout;").await;
}

#[tokio::test]
async fn what_is_set_for_all_roles_is_to_be_reset_for_all() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    database
        .run("alter role all set statement_timeout = '999ms'")
        .await;
    let session = database.open().await;

    let (_, found, advice) = check(&session, "statement_timeout").await;

    let statement = "alter role all reset statement_timeout;";
    assert_eq!(advice, Some(format!("run: {statement}")), "{found}");
    session.batch_execute(statement).await.unwrap();
    assert_ok(&database.open().await, "statement_timeout").await;
}

#[tokio::test]
async fn a_transaction_that_is_read_only_by_itself_is_ok() {
    let database = Database::new().await;
    let session = database.open().await;
    for begin in [
        "begin read only",
        "begin; set transaction read only",
        "begin isolation level serializable read only deferrable",
    ] {
        session.batch_execute(begin).await.unwrap();

        assert_ok(&session, "writable").await;

        session.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn transactions_that_are_read_only_by_default_are_a_failure_in_one_that_is_not() {
    let database = Database::new().await;
    let name = database.name();
    database.set(&["default_transaction_read_only = on"]).await;
    let session = database.open().await;
    session.batch_execute("begin read write").await.unwrap();

    let (status, found, advice) = check(&session, "writable").await;

    assert_eq!(
        (status.as_str(), found.as_str()),
        (
            "failure",
            "transactions are read-only by default (default_transaction_read_only)"
        )
    );
    let statements = format!(
        "begin read write; alter database {name} reset default_transaction_read_only; commit;"
    );
    assert_eq!(advice, Some(format!("run: {statements}")));
    session.batch_execute("rollback").await.unwrap();
    session.batch_execute(&statements).await.unwrap();
    assert_ok(&database.open().await, "writable").await;
}
