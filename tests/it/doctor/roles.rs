//! `lead-mover doctor`: the privileges of roles, and the settings of roles and the database.

use crate::support::{Database, DoctorReport, owner};

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

    let all = "select lead_mover.open_to('lead_mover_stranger', \
               '{cancel,control,process,progress,queue,serve,status}', p_all_runs => true);";
    report.assert_failure("grants", &format!("run: {all}"));
    assert_eq!(
        report.check("grants").1,
        "this role lacks what the service needs: execute on function lead_mover.process_batch(integer), \
         execute on function lead_mover.sample(), select on lead_mover.schema_files and 1 more"
    );
    assert_eq!(report.check("schema").0, "skipped");
    assert_eq!(report.check("schema").2, Some("fix `grants` first"));

    // What is opened to the service is enough for the service.
    database
        .run("select lead_mover.open_to('lead_mover_stranger', '{serve}', p_all_runs => true)")
        .await;
    let report = DoctorReport::of(&as_stranger(&database), &[]).await;
    assert_eq!(report.status, Some(0));
    assert_eq!(report.check("grants").0, "warning");
    assert_eq!(
        report.check("grants").2,
        Some(format!("run: {}", all.replace(",serve", "")).as_str())
    );

    database.run(all).await;
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
             grant select on lead_mover.leads, lead_mover.runs to lead_mover_stranger;
             insert into lead_mover.openings values ('lead_mover_stranger', 'serve', true)",
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
async fn what_open_to_has_not_opened_is_a_failure() {
    let database = Database::new().await;
    database
        .run(
            "grant execute on function public.cancel_lead_migration(uuid) to public;
             grant execute on function lead_mover.sample() to anon;
             grant execute on function public.queue_lead_migration(uuid, uuid, uuid, integer) to authenticated",
        )
        .await;

    let report = database.doctor_report().await;

    assert_eq!(
        report.check("exposure").1,
        "anon may use lead_mover.sample; authenticated may use public.queue_lead_migration; \
         public may use public.cancel_lead_migration, and lead_mover.open_to has not opened it"
    );
    report.assert_failure(
        "exposure",
        "run: lead-mover migrate, which closes it; what a role is to do is opened by lead_mover.open_to",
    );
    assert_eq!(database.migrate(&[]).await.status, Some(0));
    database.doctor_report().await.assert_all_pass();

    // Another role, also one to which something else is open.
    for statement in [
        "grant select on lead_mover.leads to lead_mover_stranger",
        "select lead_mover.open_to('lead_mover_stranger', array['progress'], true);
         grant execute on function public.cancel_lead_migration(uuid) to lead_mover_stranger",
    ] {
        database.run(statement).await;
        let report = database.doctor_report().await;
        report.assert_failure(
            "exposure",
            "run: select lead_mover.close_to('lead_mover_stranger'); what a role is to do is opened by lead_mover.open_to",
        );
        database
            .run("select lead_mover.close_to('lead_mover_stranger')")
            .await;
        database.doctor_report().await.assert_all_pass();
    }
}

#[tokio::test]
async fn an_exposed_schema_and_views_that_show_all_rows_are_failures() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    let name = database.name().to_owned();
    database
        .run(&format!(
            "alter role lead_mover_stranger in database {name} set pgrst.db_schemas = 'public, lead_mover'"
        ))
        .await;
    let report = database.doctor_report().await;
    assert_eq!(
        report.check("exposure").1,
        "PostgREST exposes the schema lead_mover: pgrst.db_schemas of lead_mover_stranger"
    );
    report.assert_failure(
        "exposure",
        "take lead_mover out of the exposed schemas: the public functions are all that callers need",
    );
    database
        .run(&format!(
            "alter role lead_mover_stranger in database {name} reset all;
             select lead_mover.open_to('authenticated')"
        ))
        .await;
    database.doctor_report().await.assert_all_pass();

    database
        .run("alter view lead_mover.runs set (security_invoker = off)")
        .await;
    let report = database.doctor_report().await;
    assert_eq!(
        report.check("exposure").1,
        "users see every row of these views, and so every run: runs"
    );
    assert_eq!(database.migrate(&[]).await.status, Some(0));
    database.doctor_report().await.assert_all_pass();
}

/// Each move would fail with 42501.
#[tokio::test]
async fn policies_that_hide_rows_from_the_owner_of_the_functions_are_a_failure() {
    let database = Database::of_owner().await;
    database
        .run("alter table public.leads enable row level security")
        .await;
    database.doctor_report().await.assert_all_pass();

    database
        .run("alter table public.leads force row level security")
        .await;

    let report = database.doctor_report().await;
    let owner = owner();
    assert_eq!(
        report.check("row_security").1,
        format!("policies would hide rows of leads from {owner}, and each move would fail")
    );
    report.assert_failure(
        "row_security",
        &format!("run: alter role {owner} bypassrls; or make it the owner of leads, without force row level security"),
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
