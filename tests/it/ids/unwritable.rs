//! A mapping that moves cannot work with: `migrate` stops and says which column, and why.

use crate::support::Database;

const TABLES: &str = "
  create table public.runs (id uuid primary key, name text);
  create table public.columns (id uuid primary key, funnel_id uuid);
  create table public.leads (
    id uuid primary key, run_id uuid, funnel_id uuid, column_id uuid, stage text,
    computed uuid generated always as (run_id) stored
  );
  create index on public.leads (run_id, id);
  create schema lead_mover;
  create view lead_mover.runs as select id, name from public.runs;";
const COLUMNS: &str = "create view lead_mover.columns as select id, funnel_id from public.columns;";

async fn error_of(statements: &str) -> String {
    let database = Database::empty().await;
    database.run(TABLES).await;
    database.run(statements).await;

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1), "{statements}: {failed:?}");
    assert!(
        !database.has("lead_mover.moves").await,
        "nothing is left half done"
    );
    failed.stderr
}

#[tokio::test]
async fn a_column_that_cannot_be_written_is_named_with_the_reason() {
    let nil = "'00000000-0000-0000-0000-000000000000'::uuid";
    for (view, column, why) in [
        (
            format!("select id, run_id, {nil} as funnel_id, column_id from public.leads"),
            "funnel_id",
            "cannot update column \"funnel_id\" of view \"leads\"",
        ),
        (
            "select id, run_id, funnel_id, coalesce(column_id) as column_id from public.leads"
                .to_owned(),
            "column_id",
            "cannot update column \"column_id\" of view \"leads\"",
        ),
        (
            "select id, run_id, funnel_id, computed as column_id from public.leads".to_owned(),
            "column_id",
            "can only be updated to DEFAULT",
        ),
        (
            "select distinct id, run_id, funnel_id, column_id from public.leads".to_owned(),
            "funnel_id",
            "cannot update view \"leads\"",
        ),
        (
            "select l.id, l.run_id, c.funnel_id, l.column_id
             from public.leads l join public.columns c on c.id = l.column_id"
                .to_owned(),
            "funnel_id",
            "cannot update view \"leads\"",
        ),
    ] {
        let said = error_of(&format!(
            "create view lead_mover.leads as {view}; {COLUMNS}"
        ))
        .await;

        let first = said.lines().next().expect("an error");
        let named = format!("nothing can be written through lead_mover.leads.{column}: ");
        assert!(first.contains(&named) && first.contains(why), "{said}");
        assert!(
            said.contains("hint: ") && said.contains("docs/mapping.md"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn types_that_cannot_be_ids_or_be_compared_are_named() {
    for (leads, columns, parts) in [
        (
            "run_id, funnel_id, array[column_id] as column_id",
            "id, funnel_id",
            ["lead_mover.leads.column_id", "uuid[]"],
        ),
        (
            "to_json(run_id) as run_id, funnel_id, column_id",
            "id, funnel_id",
            ["lead_mover.leads.run_id", "json"],
        ),
        (
            "run_id, funnel_id, stage as column_id",
            "id, funnel_id",
            [
                "lead_mover.columns.id and lead_mover.leads.column_id",
                "uuid = text",
            ],
        ),
        (
            "run_id, funnel_id, column_id",
            "id",
            [
                "there is no lead_mover.columns.funnel_id",
                "leaves funnel_id out of both views",
            ],
        ),
        (
            "run_id, column_id",
            "id, funnel_id",
            [
                "there is no lead_mover.leads.funnel_id",
                "leaves funnel_id out of both views",
            ],
        ),
        (
            "run_id::text collate \"C\" as run_id, funnel_id, stage as column_id",
            "id::text as id, funnel_id",
            ["several collations: ", "lead_mover.leads.run_id (\"C\")"],
        ),
    ] {
        let said = error_of(&format!(
            "create view lead_mover.leads as select id, {leads} from public.leads;
             create view lead_mover.columns as select {columns} from public.columns"
        ))
        .await;

        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains("hint: "), "{said}");
    }
}

/// What the catalogs alone do not show: the view is changed after the installation.
#[tokio::test]
async fn doctor_plans_the_update_too() {
    let database = Database::new().await;
    database
        .run(
            "alter table public.leads add column computed uuid generated always as (run_id) stored;
             create or replace view lead_mover.leads as
               select id, run_id, funnel_id, column_id from public.leads;
             drop view lead_mover.leads;
             create view lead_mover.leads as select id, run_id, funnel_id, computed as column_id from public.leads",
        )
        .await;

    let report = database.doctor_report().await;

    assert_eq!(report.with("failure"), ["mapping"]);
    let found = report.check("mapping").1;
    assert!(
        found.starts_with("nothing can be written through lead_mover.leads.column_id: "),
        "{found}"
    );
}

/// Over expressions, and below another view.
#[tokio::test]
async fn a_view_with_an_instead_of_trigger_is_ok_for_migrate_and_doctor() {
    for (view, below) in [
        (
            "lead_mover.leads",
            "select id, run_id, coalesce(funnel_id) as funnel_id, coalesce(column_id) as column_id",
        ),
        (
            "public.shown",
            "select id, run_id, coalesce(funnel_id) as funnel_id, coalesce(column_id) as column_id",
        ),
    ] {
        let database = Database::empty().await;
        database.run(TABLES).await;
        database.run(COLUMNS).await;
        database
            .run(&format!(
                "create view {view} as {below} from public.leads;
                 create function public.write_lead() returns trigger language plpgsql as $$ begin
                   update public.leads set funnel_id = new.funnel_id, column_id = new.column_id where id = old.id;
                   return new;
                 end $$;
                 create trigger write_lead instead of update on {view}
                 for each row execute function public.write_lead();"
            ))
            .await;
        if view != "lead_mover.leads" {
            database
                .run(&format!(
                    "create view lead_mover.leads as select * from {view}"
                ))
                .await;
        }

        let installed = database.migrate(&[]).await;

        assert_eq!(installed.status, Some(0), "{installed:?}");
        database.doctor_report().await.assert_all_pass();
    }
}

#[tokio::test]
async fn a_view_that_a_rule_writes_is_ok_too_and_its_leads_move() {
    let database = Database::empty().await;
    database.run(TABLES).await;
    database.run(COLUMNS).await;
    database
        .run(
            "create view lead_mover.leads as
               select id, run_id, coalesce(funnel_id) as funnel_id, coalesce(column_id) as column_id from public.leads;
             create rule write_lead as on update to lead_mover.leads do instead
               update public.leads set funnel_id = new.funnel_id, column_id = new.column_id where id = old.id;
             insert into public.runs values ('00000000-0000-0000-0000-000000000007', 'Padarias');
             insert into public.columns
               values ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000002');
             insert into public.leads (id, run_id)
               select gen_random_uuid(), '00000000-0000-0000-0000-000000000007' from generate_series(1, 250)",
        )
        .await;
    let installed = database.migrate(&[]).await;
    assert_eq!(installed.status, Some(0), "{installed:?}");
    database.doctor_report().await.assert_all_pass();

    database
        .run(
            "select queue_lead_migration(
               '00000000-0000-0000-0000-000000000007', '00000000-0000-0000-0000-000000000002',
               '00000000-0000-0000-0000-000000000004'
             )",
        )
        .await;
    for _ in 0..3 {
        database
            .run("select * from public.process_lead_migration_batch()")
            .await;
    }

    let there =
        "select count(*) from public.leads where column_id is not null and funnel_id is not null";
    assert_eq!(database.value::<i64>(there, &[]).await, 250);
    let status = "select status from public.get_lead_migration_progress()";
    assert_eq!(database.value::<String>(status, &[]).await, "completed");
}
