//! Services that come up before, beside and after the schema that they need.

use lead_mover::schema::SchemaState;

use crate::support::{
    Database, EXAMPLE_TABLES, InvariantWatcher, Service, assert_same_schema, eventually,
};

const NO_POLL: [&str; 2] = ["--poll-interval", "1h"];

#[tokio::test]
async fn four_that_install_and_start_at_once_are_all_ready_over_one_schema() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    let one = async || {
        let migrated = database.migrate(&[]).await;
        assert_eq!(migrated.status, Some(0), "{migrated:?}");
        Service::start(&database, &NO_POLL).await
    };

    let (first, second, third, fourth) = tokio::join!(one(), one(), one(), one());

    assert_same_schema(&database.schema(), &Database::new().await.schema());
    let crm = database.crm().await;
    let run = crm.run_of(3_000).await;
    database.note_writes().await;
    let watcher = InvariantWatcher::of(&database, run);
    crm.enqueue(run).await;
    crm.completed(run).await;
    watcher.report().await;
    assert_eq!(database.writes().await, (3_000, 3_000));
    crm.check().await;
    let mut moved = 0.0;
    for service in [first, second, third, fourth] {
        moved += service.metric("lead_mover_leads_moved_total").await;
        assert_eq!(service.stop().await, Some(0));
    }
    assert!((moved - 3_000.0).abs() < 0.5, "they told of {moved}");
    eventually("no session is left", async || {
        database.sessions_of_the_service().await == 0
    })
    .await;
}

#[tokio::test]
async fn one_that_comes_before_its_schema_goes_on_once_that_is_installed() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;
    unready_for_its_schema(&service, "missing").await;
    assert_eq!(service.readyz().await.1["database"], "failing");

    migrate_and_go_on(&database, &service).await;
}

#[tokio::test]
async fn one_that_meets_older_functions_says_so_and_goes_on_once_they_are_replaced() {
    let database = Database::new().await;
    database
        .run(
            "update lead_mover.schema_files set checksum = 'earlier'
             where path = 'functions/public/get_lead_migration_queue_status.sql'",
        )
        .await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;
    unready_for_its_schema(&service, "outdated").await;

    migrate_and_go_on(&database, &service).await;
}

/// As when the service is rolled out before the migration that changes what it calls.
#[tokio::test]
async fn one_that_meets_a_schema_without_a_function_it_calls_goes_on_once_that_is_there() {
    let database = Database::new().await;
    database
        .run(
            "drop function lead_mover.process_batch(integer);
             delete from lead_mover.schema_files where path = 'functions/internal/process_batch.sql'",
        )
        .await;
    let service = Service::start_unready(&database.connection_string(), &NO_POLL).await;
    unready_for_its_schema(&service, "outdated").await;
    assert_eq!(service.readyz().await.1["database"], "failing");

    migrate_and_go_on(&database, &service).await;
}

async fn unready_for_its_schema(service: &Service, state: &str) {
    eventually("readiness names the schema", async || {
        let (status, body) = service.readyz().await;
        status == 503 && body["schema"] == state && body["database"] != "connecting"
    })
    .await;
    service
        .logged_once("the database has another schema; run `lead-mover migrate`")
        .await;
}

async fn migrate_and_go_on(database: &Database, service: &Service) {
    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert_eq!(database.schema_state().await, SchemaState::Current);

    service.ready().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.completed(run).await;
    crm.check().await;
}
