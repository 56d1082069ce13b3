//! `lead-mover doctor` on the keys of the leads: their type in the ledger, and whether they can be null.

use lead_mover::migrate;

use crate::support::Database;

/// A CRM whose leads have keys of that type, with everything installed.
async fn keyed_by(key: &str) -> Database {
    let database = Database::empty().await;
    database
        .run(&format!(
            "create domain public.code as varchar(8) check (value <> '');
             create domain public.required as bigint not null;
             create table public.runs (id uuid primary key, name text);
             create table public.columns (id uuid primary key, funnel_id uuid);
             create table public.leads (id {key}, run_id uuid, funnel_id uuid, column_id uuid);
             create index on public.leads (run_id, id)"
        ))
        .await;
    migrate::install(&database.settings(), false)
        .await
        .expect("it installs");
    database
}

#[tokio::test]
async fn keys_of_another_type_than_the_ledgers_are_a_failure_until_migrate() {
    for (before, after) in [
        ("integer", "bigint"),
        ("integer", "text"),
        ("public.code", "public.required using id::bigint"),
        ("varchar(8) collate \"C\"", "varchar(8) collate \"POSIX\""),
    ] {
        let database = keyed_by(&format!("{before} primary key")).await;
        database.doctor_report().await.assert_all_pass();
        database
            .run(&format!(
                "drop view lead_mover.leads;
                 alter table public.leads alter id type {after};
                 create view lead_mover.leads as
                   select id, run_id, funnel_id, column_id from public.leads"
            ))
            .await;

        let report = database.doctor_report().await;

        report.assert_failure("mapping", "run: lead-mover migrate");
        let base = match after {
            "public.required using id::bigint" => "bigint",
            "varchar(8) collate \"POSIX\"" => "character varying",
            other => other,
        };
        assert_eq!(
            report.check("mapping").1,
            format!(
                "lead_mover.lanes.next_id, lead_mover.lanes.last_id, lead_mover.skipped_leads.lead_id \
                 are not of the type and collation of lead_mover.leads.id, {base}"
            )
        );
        assert_eq!(database.migrate(&[]).await.status, Some(0));
        database.doctor_report().await.assert_all_pass();
    }
}

/// The ledger's columns have no length and no domain.
#[tokio::test]
async fn a_length_or_a_domain_of_the_keys_is_no_other_type() {
    for key in [
        "varchar(8)",
        "public.code",
        "public.required",
        "numeric(9, 0)",
    ] {
        let database = keyed_by(&format!("{key} primary key")).await;

        database.doctor_report().await.assert_all_pass();
    }
}

#[tokio::test]
async fn keys_that_can_be_null_are_a_warning() {
    let database = keyed_by("integer unique").await;

    let report = database.doctor_report().await;

    assert_eq!(report.status, Some(0));
    assert_eq!(
        report.check("mapping"),
        (
            "warning",
            "lead_mover.leads.id can be null: leads whose id is null are not moved",
            Some("run: alter table public.leads alter column id set not null;")
        )
    );
    assert_eq!(report.check("index").0, "ok");
    database.follow_advice(&report, "mapping").await;
}

#[tokio::test]
async fn a_domain_that_does_not_allow_null_is_no_warning() {
    let database = keyed_by("public.required unique").await;

    database.doctor_report().await.assert_all_pass();
}
