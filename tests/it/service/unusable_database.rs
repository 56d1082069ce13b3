//! A database that the service cannot use yet: it waits, logs that once, and goes on as soon as the cause is
//! fixed, without a restart of the service.

use crate::support::{Database, OwnServer, Service, eventually};

const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];
const LOST: &str = "database not reached; trying again";
const FAILING: &str = "no batch can be processed; trying again";

#[tokio::test]
async fn a_server_that_is_down_at_the_start() {
    let mut server = OwnServer::start();
    let database = server.database("crm").await;
    server.kill();
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;
    waits(&service, "connection", "cannot connect to").await;

    server.restart();

    goes_on(&service, &database.reopened().await).await;
}

#[tokio::test]
async fn a_password_that_is_wrong() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    database
        .run("create role app login superuser password 'another'")
        .await;
    server.admit("local all app scram-sha-256").await;
    let url = format!(
        "{} user=app password=geheim4711",
        database.connection_string()
    );
    let service = Service::start_unready(&url, &NO_POLL).await;
    waits(&service, "access", "password authentication failed").await;

    database.run("alter role app password 'geheim4711'").await;

    goes_on(&service, &database).await;
    let log = format!("{:?}", service.log());
    assert!(!log.contains("geheim4711"), "{log}");
}

#[tokio::test]
async fn a_database_that_is_not_there() {
    let server = OwnServer::start();
    let service = Service::start_unready(&server.connection_string("crm"), &NO_POLL).await;
    waits(&service, "access", "does not exist").await;

    let database = server.database("crm").await;

    goes_on(&service, &database).await;
}

#[tokio::test]
async fn too_many_connections() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    let url = as_a_role_with_connections(&database, 0).await;
    let service = Service::start_unready(&url, &NO_POLL).await;
    waits(&service, "database", "too many connections").await;

    database.run("alter role app connection limit -1").await;

    goes_on(&service, &database).await;
}

/// Workers with a connection go on, and the others are denied one again and again: logged once.
#[tokio::test]
async fn connections_for_some_workers_only() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    let url = as_a_role_with_connections(&database, 4).await;
    let arguments = ["--poll-interval", "20ms", "--workers", "8"];
    let service = Service::start_unready(&url, &arguments).await;
    eventually("several tries have failed", async || {
        service
            .metric("lead_mover_errors_total{kind=\"database\"}")
            .await
            > 30.0
    })
    .await;
    assert_eq!(service.readyz().await.1["database"], "lost");
    assert!(service.count_logged(LOST) <= 1 && service.count_logged(FAILING) <= 1);

    database.run("alter role app connection limit -1").await;

    service.ready().await;
    assert!(service.count_logged(LOST) <= 1 && service.count_logged(FAILING) <= 1);
}

/// A connection string for it.
async fn as_a_role_with_connections(database: &Database, limit: u8) -> String {
    database
        .run(&format!(
            "create role app login connection limit {limit};
             grant pg_read_all_data to app;
             grant usage on schema lead_mover to app;
             grant execute on all functions in schema lead_mover to app"
        ))
        .await;
    format!("{} user=app", database.connection_string())
}

/// As a standby is, and a database that its provider has shut for writing.
#[tokio::test]
async fn a_database_that_only_reads() {
    let database = Database::new().await;
    let read_only = format!("alter database {}", database.name());
    database
        .run(&format!(
            "{read_only} set default_transaction_read_only = on"
        ))
        .await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;
    fails(&service, "database", "read-only transaction").await;

    database
        .run(&format!("{read_only} reset default_transaction_read_only"))
        .await;

    goes_on(&service, &database).await;
}

/// Several tries to connect have failed, for that reason, and the log has said it once.
async fn waits(service: &Service, kind: &str, reason: &str) {
    is_without(service, kind, reason, "lost", LOST).await;
}

/// The same where the database answers each call with that error.
async fn fails(service: &Service, kind: &str, reason: &str) {
    is_without(service, kind, reason, "failing", FAILING).await;
}

async fn is_without(service: &Service, kind: &str, reason: &str, state: &str, text: &str) {
    let errors = format!("lead_mover_errors_total{{kind=\"{kind}\"}}");
    eventually("several tries have failed", async || {
        service.metric(&errors).await > 5.0
    })
    .await;
    let (status, body) = service.readyz().await;
    assert_eq!((status, &body["database"]), (503, &state.into()), "{body}");
    service.logged_once(text).await;
    let log = service.log();
    let said = log.iter().find(|line| line["message"] == text);
    let error = said.expect("it was counted")["error"].to_string();
    assert!(error.contains(reason), "{error}");
}

async fn goes_on(service: &Service, database: &Database) {
    service.ready().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.completed(run).await;
    crm.check().await;
    // A change of state each, and the start.
    assert!(service.count_logged(LOST) <= 1 && service.count_logged(FAILING) <= 1);
    service.logged_once("database reached").await;
    service.logged_once("listening for notifications").await;
    assert!(service.count_logged("listener lost; polling until it is back") <= 1);
}
