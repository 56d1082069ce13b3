//! `lead-mover doctor`: the privileges of roles, and the settings of roles and the database.

use crate::support::{Database, DoctorReport};

/// The connection string of a role without grants.
fn as_stranger(database: &Database) -> String {
    format!(
        "{} options='-c role=lead_mover_stranger'",
        database.connection_string()
    )
}

#[tokio::test]
async fn a_role_without_grants_gets_the_statements() {
    let database = Database::new().await;

    let report = DoctorReport::of(&as_stranger(&database), &[]).await;

    let to = "to lead_mover_stranger";
    let public: Vec<String> = [
        "cancel_lead_migration(uuid)",
        "get_lead_migration_progress(uuid)",
        "get_lead_migration_queue_status()",
        "get_lead_migration_rejections(bigint)",
        "pause_lead_migration(uuid)",
        "process_lead_migration_batch(integer)",
        "queue_lead_migration(uuid, uuid, uuid, integer)",
        "resume_lead_migration(uuid)",
        "retry_lead_migration(uuid)",
    ]
    .map(|function| format!("grant execute on function public.{function} {to}; "))
    .to_vec();
    let service = format!(
        "grant execute on function lead_mover.process_batch(integer) {to}; \
         grant execute on function lead_mover.sample() {to}; \
         grant select on lead_mover.schema_files {to}; \
         grant usage on schema lead_mover {to}; "
    );
    let advice = format!("run: {service}{}", public.concat());
    report.assert_failure("grants", advice.trim_end());
    assert_eq!(
        report.check("grants").1,
        "this role lacks what the service needs: execute on function lead_mover.process_batch(integer), \
         execute on function lead_mover.sample(), select on lead_mover.schema_files and 1 more"
    );
    assert_eq!(report.check("schema").0, "skipped");
    assert_eq!(report.check("schema").2, Some("fix `grants` first"));

    // The grants of the service are enough for the service.
    database.run(&service).await;
    let report = DoctorReport::of(&as_stranger(&database), &[]).await;
    assert_eq!(report.status, Some(0));
    assert_eq!(
        report.check("grants").2,
        Some(format!("run: {}", public.concat()).trim_end())
    );
    assert_eq!(report.check("grants").0, "warning");

    database.run(&public.concat()).await;
    DoctorReport::of(&as_stranger(&database), &[])
        .await
        .assert_all_pass();
}

#[tokio::test]
async fn an_owner_of_the_functions_who_may_not_use_the_views_is_a_failure() {
    let database = Database::new().await;
    database
        .run(
            "alter function lead_mover.process_batch(integer) owner to lead_mover_stranger;
             grant select on lead_mover.leads, lead_mover.runs to lead_mover_stranger",
        )
        .await;

    let report = database.doctor_report().await;

    report.assert_failure(
        "grants",
        "run: grant select on lead_mover.columns to lead_mover_stranger; \
         grant update on lead_mover.leads to lead_mover_stranger;",
    );
    database.follow_advice(&report, "grants").await;
}

#[tokio::test]
async fn functions_that_every_role_may_call_are_a_warning() {
    let database = Database::new().await;
    database
        .run(
            "grant execute on function public.cancel_lead_migration(uuid) to public;
             grant execute on function lead_mover.sample() to anon;
             grant execute on function public.queue_lead_migration(uuid, uuid, uuid, integer) to authenticated",
        )
        .await;

    let report = database.doctor_report().await;

    assert_eq!(report.status, Some(0));
    assert_eq!(
        report.check("exposure"),
        (
            "warning",
            "public may execute public.cancel_lead_migration(uuid); \
             anon may execute lead_mover.sample(); \
             authenticated may execute public.queue_lead_migration(uuid, uuid, uuid, integer)",
            Some(
                "run: revoke execute on function public.cancel_lead_migration(uuid) from public; \
                 revoke execute on function lead_mover.sample() from anon;"
            )
        )
    );
    database.follow_advice(&report, "exposure").await;
    assert_eq!(
        database.doctor_report().await.check("exposure").1,
        "no function is open to public or anon; \
         authenticated may execute public.queue_lead_migration(uuid, uuid, uuid, integer)"
    );
}

#[tokio::test]
async fn a_database_that_is_read_only_is_a_failure() {
    let database = Database::new().await;
    let name = database.name();
    database
        .run(&format!(
            "alter database {name} set default_transaction_read_only = on"
        ))
        .await;

    let report = database.doctor_report().await;

    report.assert_failure(
        "writable",
        &format!(
            "run: begin read write; alter database {name} reset default_transaction_read_only; commit;"
        ),
    );
    // As an operator would: in a session that is read-only itself.
    let statements = report.check("writable").2.expect("something to do");
    let statements = statements.strip_prefix("run: ").expect("statements");
    database
        .open()
        .await
        .batch_execute(statements)
        .await
        .unwrap();
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn settings_of_the_connection_string_are_to_be_changed_there() {
    let database = Database::new().await;
    let url = format!(
        "{} options='-c statement_timeout=999 -c default_transaction_read_only=on'",
        database.connection_string()
    );

    let report = DoctorReport::of(&url, &[]).await;

    report.assert_failure(
        "writable",
        "remove default_transaction_read_only from the options in DATABASE_URL",
    );
    assert_eq!(
        report.check("statement_timeout"),
        (
            "warning",
            "statements are ended after 999 ms (statement_timeout)",
            Some("remove statement_timeout from the options in DATABASE_URL")
        )
    );
}

#[tokio::test]
async fn a_short_statement_timeout_is_a_warning() {
    let database = Database::new().await;
    let name = database.name();
    for (timeout, status) in [("1s", "ok"), ("900ms", "warning")] {
        database
            .run(&format!(
                "alter database {name} set statement_timeout = '{timeout}'"
            ))
            .await;
        let report = database.doctor_report().await;
        assert_eq!(report.status, Some(0));
        assert_eq!(report.check("statement_timeout").0, status, "{timeout}");
        if status == "warning" {
            assert_eq!(
                report.check("statement_timeout").2,
                Some(format!("run: alter database {name} reset statement_timeout;").as_str())
            );
            database.follow_advice(&report, "statement_timeout").await;
        }
    }
}
