//! The service and the commands with the rights that docs/use.md gives their role, and no others.

use crate::support::{Database, Finished, Service, command, eventually, finish, worker};

async fn try_run(database: &Database, arguments: &[&str]) -> Finished {
    let url = database.connection_string_as(&worker());
    finish(command(arguments).env("DATABASE_URL", url)).await
}

async fn run(database: &Database, arguments: &[&str]) {
    let finished = try_run(database, arguments).await;
    assert_eq!(finished.status, Some(0), "{arguments:?}: {finished:?}");
    assert_eq!(finished.stderr, "");
}

#[tokio::test]
async fn the_service_needs_no_more_than_is_documented() {
    let database = Database::of_owner().await;
    let crm = database.crm().await;
    database.grant_service_rights(&worker()).await;
    let run = crm.run_of(478).await;
    let url = database.connection_string_as(&worker());

    let service = Service::start_unready(&url, &["--poll-interval", "1h"]).await;
    service.ready().await;
    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 478);
    let wakeups = r#"lead_mover_wakeups_total{reason="notify"}"#;
    assert!(service.metric(wakeups).await >= 1.0);
    for kind in ["connection", "access", "schema", "timeout", "database"] {
        let series = format!(r#"lead_mover_errors_total{{kind="{kind}"}}"#);
        assert!(service.metric(&series).await < 1.0, "{kind}");
    }
    assert_eq!(service.stop().await, Some(0));
    crm.check().await;
}

/// Each documented right is needed: without it the service is not ready, and names what it lacks.
#[tokio::test]
async fn without_one_of_these_privileges_the_service_is_not_ready_and_reports_which() {
    let worker = worker();
    for (right, complaint) in [
        (
            "usage on schema lead_mover",
            "permission denied for schema lead_mover",
        ),
        (
            "select on lead_mover.schema_files",
            "permission denied for table schema_files",
        ),
        (
            "execute on function lead_mover.process_batch(integer)",
            "permission denied for function process_batch",
        ),
        (
            "execute on function lead_mover.sample()",
            "permission denied for function sample",
        ),
    ] {
        let database = Database::of_owner().await;
        database.grant_service_rights(&worker).await;
        database.run(&format!("revoke {right} from {worker}")).await;

        let url = database.connection_string_as(&worker);
        let service = Service::start_unready(&url, &[]).await;

        eventually(
            &format!("/readyz reports that it lacks {right}"),
            async || {
                service.log().iter().any(|line| {
                    let error = line["error"].as_str().unwrap_or_default();
                    error.contains(complaint) && error.contains("42501")
                })
            },
        )
        .await;
        if right != "execute on function lead_mover.sample()" {
            assert_eq!(service.readyz().await.0, 503, "{right}");
        }
    }
}

#[tokio::test]
async fn the_commands_need_no_more_than_is_documented() {
    let database = Database::of_owner().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(250).await;
    let id = run_id.to_string();
    let (funnel, column) = (crm.target.funnel.to_string(), crm.target.column.to_string());
    let enqueue = ["enqueue", &id, &funnel, &column];
    let commands: [&[&str]; 6] = [
        &enqueue,
        &["status"],
        &["pause", &id],
        &["resume", &id],
        &["cancel", &id],
        &["retry", &id],
    ];
    // What `serve` has to have is not needed here, and is not enough.
    database.grant_service_rights(&worker()).await;
    for arguments in commands {
        let failed = try_run(&database, arguments).await;
        assert_eq!(failed.status, Some(1), "{arguments:?}");
        assert!(
            failed.stderr.contains("permission denied for function"),
            "{failed:?}"
        );
    }
    database.run(&format!("drop owned by {}", worker())).await;
    database.grant_command_rights(&worker()).await;

    for arguments in commands {
        run(&database, arguments).await;
    }

    assert_eq!(crm.status(run_id).await, "cancelled");
    let _service = Service::start(&database, &[]).await;
    run(&database, &["enqueue", &id, &funnel, &column, "--wait"]).await;
    run(&database, &["status", &id, "--json"]).await;
    run(&database, &["status", "--watch"]).await;
    assert_eq!(crm.leads_at(run_id, crm.target).await, 250);
}

#[tokio::test]
async fn messages_of_an_application_that_may_only_send_are_adopted_and_wake_the_service() {
    let database = Database::of_owner().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let service = Service::start(&database, &["--poll-interval", "1h"]).await;
    database
        .run(&format!(
            "grant usage on schema pgmq to {0};
             grant insert, select on pgmq.q_lead_migration_queue to {0};
             grant usage on all sequences in schema pgmq to {0};
             select lead_mover.open_to('{0}', array['queue'], p_all_runs => true)",
            worker()
        ))
        .await;
    let application = database.log_in(&worker()).await;

    application
        .execute(
            "select pgmq.send('lead_migration_queue', $1::jsonb)",
            &[&crate::support::Crm::message_to(run, crm.target)],
        )
        .await
        .expect("it may send");

    eventually("the move has ended", async || {
        crm.leads_at(run, crm.target).await == 150
    })
    .await;
    assert_eq!(crm.status(run).await, "completed");
    drop(service);
}
