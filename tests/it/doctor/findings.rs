//! `lead-mover doctor` on what `migrate` installs: each state is produced on a real server, and its advice followed.

use lead_mover::migrate;

use crate::support::{ALL_CHECKS, Database, doctor};

#[tokio::test]
async fn a_healthy_database_has_nothing_wrong() {
    let database = Database::new().await;

    let text = doctor(&database.connection_string(), &[]).await;

    assert_eq!(text.status, Some(0), "{text:?}");
    let names: Vec<&str> = text
        .stdout
        .lines()
        .map(|line| line.split_whitespace().nth(1).expect("a name"))
        .collect();
    assert_eq!(names, ALL_CHECKS, "a line a check");
    for line in text.stdout.lines() {
        let warns = line.starts_with("WARNING  server ") || line.starts_with("WARNING  service ");
        assert!(line.starts_with("ok       ") || warns, "{line}");
    }
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn a_database_with_nothing_in_it_has_to_be_migrated() {
    let database = Database::empty().await;

    let report = database.doctor_report().await;

    assert_eq!(report.status, Some(1));
    assert_eq!(report.with("failure"), ["pgmq", "schema"]);
    for name in ["pgmq", "schema"] {
        assert_eq!(report.check(name).2, Some("run: lead-mover migrate"));
    }
    assert_eq!(
        report.with("skipped"),
        [
            "grants",
            "exposure",
            "row_security",
            "mapping",
            "index",
            "trigger",
            "service",
            "realtime",
            "moves"
        ]
    );
    assert_eq!(report.check("mapping").1, "skipped: check `schema` failed");
    assert_eq!(report.check("exposure").2, Some("fix it first"));
    let text = doctor(&database.connection_string(), &[]).await;
    assert_eq!(text.status, Some(1));
    assert!(
        text.stdout.contains(
            "\nFAILED   pgmq               PGMQ is not in this database; run: lead-mover migrate\n"
        ),
        "{}",
        text.stdout
    );

    migrate::install(&database.settings(), true)
        .await
        .expect("it installs");
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn a_trigger_that_was_dropped_or_disabled_is_a_failure() {
    let database = Database::new().await;
    let table = "pgmq.q_lead_migration_queue";
    for (damage, advice) in [
        (
            format!("drop trigger lead_migration_queued on {table}"),
            "run: create trigger lead_migration_queued after insert on pgmq.q_lead_migration_queue \
             for each statement execute function lead_mover.notify_queued();",
        ),
        (
            format!("alter table {table} disable trigger lead_migration_queued"),
            "run: alter table pgmq.q_lead_migration_queue enable trigger lead_migration_queued;",
        ),
        (
            format!("alter table {table} enable replica trigger lead_migration_queued"),
            "run: alter table pgmq.q_lead_migration_queue enable trigger lead_migration_queued;",
        ),
    ] {
        database.run(&damage).await;

        let report = database.doctor_report().await;

        report.assert_failure("trigger", advice);
        database.follow_advice(&report, "trigger").await;
    }
}

#[tokio::test]
async fn an_index_that_is_missing_is_a_failure() {
    let database = Database::new().await;
    database.run("drop index public.leads_run_id_id_idx").await;

    let report = database.doctor_report().await;

    report.assert_failure(
        "index",
        "run: create index concurrently on public.leads (run_id, id);",
    );
    database.follow_advice(&report, "index").await;
}

#[tokio::test]
async fn an_older_schema_has_to_be_migrated() {
    let database = Database::new().await;
    database
        .run("update lead_mover.schema_files set checksum = 'x' where path like 'functions/%'")
        .await;

    let report = database.doctor_report().await;

    report.assert_failure("schema", "run: lead-mover migrate");
    assert_eq!(report.with("skipped"), Vec::<&str>::new());
    assert_eq!(database.migrate(&[]).await.status, Some(0));
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn a_newer_schema_needs_a_newer_lead_mover() {
    for path in ["versioned/9999_future.sql", "functions/internal/future.sql"] {
        let database = Database::new().await;
        database
            .run(&format!(
                "insert into lead_mover.schema_files values ('{path}', 'x')"
            ))
            .await;

        let report = database.doctor_report().await;

        report.assert_failure(
            "schema",
            "upgrade lead-mover, the service too; migrate does not go back",
        );
        assert!(report.check("schema").1.contains("newer lead-mover"));
    }
}

#[tokio::test]
async fn functions_that_were_dropped_after_migrate_are_a_failure() {
    let database = Database::new().await;
    database
        .run("drop function public.get_lead_migration_rejections(bigint), lead_mover.error_kind")
        .await;

    let report = database.doctor_report().await;

    report.assert_failure("schema", "run: lead-mover migrate");
    assert!(
        report.check("schema").1.ends_with(
            "functions/internal/error_kind.sql, functions/public/get_lead_migration_rejections.sql"
        ),
        "{}",
        report.check("schema").1
    );
    assert_eq!(database.migrate(&[]).await.status, Some(0));
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn views_that_lack_a_column_or_cannot_be_written_are_a_failure() {
    let database = Database::new().await;
    database
        .run("alter view lead_mover.leads rename column run_id to run")
        .await;

    let report = database.doctor_report().await;

    report.assert_failure(
        "mapping",
        "run: lead-mover migrate (it makes them, or prints the statements to adapt)",
    );
    assert_eq!(
        report.check("mapping").1,
        "the views of your tables lack lead_mover.leads.run_id"
    );
    assert_eq!(report.with("skipped"), ["index"]);

    database
        .run(
            "drop view lead_mover.leads;
             create view lead_mover.leads as
               select id, run_id, funnel_id, coalesce(column_id) as column_id from public.leads",
        )
        .await;
    let report = database.doctor_report().await;
    assert_eq!(
        report.check("mapping").1,
        "nothing can be written through lead_mover.leads.column_id"
    );
    assert_eq!(report.status, Some(1));
}

#[tokio::test]
async fn a_queue_that_a_crash_would_empty_fails_and_one_that_makes_callers_wait_is_a_warning() {
    let database = Database::new().await;
    database
        .run("alter table pgmq.q_lead_migration_queue set unlogged")
        .await;
    let report = database.doctor_report().await;
    report.assert_failure(
        "pgmq",
        "run: alter table pgmq.q_lead_migration_queue set logged;",
    );
    database.follow_advice(&report, "pgmq").await;

    // PGMQ has these notifications since 1.8.
    if !database
        .value::<bool>(
            "select to_regproc('pgmq.enable_notify_insert') is not null",
            &[],
        )
        .await
    {
        return;
    }
    database
        .run("select pgmq.enable_notify_insert('lead_migration_queue')")
        .await;
    let report = database.doctor_report().await;
    assert_eq!(report.status, Some(0));
    assert_eq!(report.check("pgmq").0, "warning");
    assert_eq!(
        report.check("pgmq").2,
        Some("run: select pgmq.disable_notify_insert('lead_migration_queue');")
    );
    database.follow_advice(&report, "pgmq").await;
}

/// migrate makes each of them again.
#[tokio::test]
async fn parts_of_the_schema_that_were_dropped_are_a_failure_until_migrate() {
    let database = Database::new().await;
    for (what, path) in [
        (
            "index lead_mover.moves_one_active_per_run",
            "index lead_mover.moves_one_active_per_run",
        ),
        (
            "trigger moves_announced on lead_mover.moves",
            "triggers/moves_announced.sql",
        ),
        (
            "trigger requests_1_checked on lead_mover.requests",
            "triggers/requests_1_checked.sql",
        ),
        ("view lead_mover.progress cascade", "views/progress.sql"),
        (
            "function lead_mover.take_message",
            "functions/internal/take_message.sql",
        ),
    ] {
        database.run(&format!("drop {what}")).await;

        let report = database.doctor_report().await;

        assert_eq!(report.check("schema").0, "failure", "{what}");
        assert_eq!(report.check("schema").2, Some("run: lead-mover migrate"));
        assert!(
            report.check("schema").1.contains(path),
            "{:?}",
            report.check("schema")
        );
        let migrated = database.migrate(&[]).await;
        assert_eq!(migrated.status, Some(0), "{migrated:?}");
        database.doctor_report().await.assert_all_pass();
    }
}
