//! The SQL in the documentation can be run, in its order.

use lead_mover::migrate;
use lead_mover::schema::SchemaState;
use uuid::Uuid;

use crate::controls::retry::failed_move;
use crate::support::{Crm, Database, assert_same_schema, worker};

macro_rules! page {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path))
    };
}

const GUIDE: &str = page!("docs/from-the-edge-function.md");

/// Everything that has statements; the Portuguese pages have the same ones (see `languages`).
const PAGES: [&str; 5] = [
    page!("README.md"),
    page!("docs/use.md"),
    page!("docs/upgrade.md"),
    page!("docs/runbook.md"),
    GUIDE,
];

/// A page's blocks of SQL.
fn statements(page: &str) -> impl Iterator<Item = &str> {
    page.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("sql\n"))
}

/// The block with ids instead of the placeholders.
fn with_ids(block: &str, crm: &Crm<'_>, run: Uuid) -> String {
    block
        .replace("<run>", &run.to_string())
        .replace("<funnel>", &crm.target.funnel.to_string())
        .replace("<column>", &crm.target.column.to_string())
        .replace("<move>", "1")
        .replace("lead_mover_worker", &worker())
}

#[tokio::test]
async fn the_sql_of_the_documentation_runs() {
    let database = Database::new().await;
    let crm = database.crm().await;
    failed_move(&database, &crm).await;
    let run = crm.run_of(3).await;
    let mut ran = 0;
    for block in PAGES.into_iter().flat_map(statements) {
        // There is no pg_cron here; the tests of the rights run the role's grants, and the test below the
        // views and the index.
        let elsewhere = [
            "cron.job",
            "realtime.",
            "create role",
            "create schema",
            "create index",
        ];
        if elsewhere.iter().any(|other| block.contains(other)) {
            continue;
        }
        let statements = with_ids(block, &crm, run);
        database
            .run(&format!("begin; {statements}; rollback"))
            .await;
        ran += 1;
    }
    assert!(ran > 20, "only {ran}");
}

#[tokio::test]
async fn the_views_and_the_index_of_the_documentation_are_all_that_tables_of_any_name_need() {
    for page in [page!("README.md"), page!("docs/use.md")] {
        let database = Database::empty().await;
        database
            .run(
                "create table public.your_runs (id uuid primary key, name text);
                 create table public.your_columns (id uuid primary key, funnel_id uuid not null);
                 create table public.your_leads (
                   id uuid primary key default gen_random_uuid(), run_id uuid not null, funnel_id uuid, column_id uuid
                 )",
            )
            .await;
        let block = |start: &str| {
            statements(page)
                .find(|block| block.starts_with(start))
                .expect("the page has it")
        };

        database.run(block("create schema lead_mover;")).await;
        let installed = database.migrate(&[]).await;

        assert_eq!(installed.status, Some(0), "{installed:?}");
        let advice = "create index concurrently on public.your_leads (run_id, id)";
        assert!(installed.stdout.contains(advice), "{installed:?}");
        database.run(block("create index")).await;
        let again = database.migrate(&[]).await;
        assert!(
            again.stdout.ends_with(": the schema is current\n"),
            "{again:?}"
        );
        let queued: i64 = {
            let (run, funnel, column) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
            database
                .run(&format!(
                    "insert into public.your_runs values ('{run}', 'Padarias');
                     insert into public.your_columns values ('{column}', '{funnel}');
                     insert into public.your_leads (run_id) select '{run}' from generate_series(1, 3)"
                ))
                .await;
            let call = "select (queue_lead_migration($1, $2, $3) ->> 'total')::bigint";
            database.value(call, &[&run, &funnel, &column]).await
        };
        assert_eq!(queued, 3);
    }
}

/// As in docs/upgrade.md for a version that cannot be downgraded: the statements of the guide, then
/// `migrate`.
#[tokio::test]
async fn migrate_installs_again_what_the_guide_drops_and_leads_are_kept() {
    let database = Database::new().await;
    let before = database.schema();
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process_all().await;

    let take_away = statements(GUIDE).last().expect("the guide ends with it");
    database.run(take_away).await;

    assert_eq!(database.schema_state().await, SchemaState::Missing);
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    migrate::install(&database.settings(), false)
        .await
        .expect("it installs");
    assert_same_schema(&database.schema(), &before);
    let another = crm.run_of(150).await;
    crm.enqueue(another).await;
    crm.process_all().await;
    assert_eq!(crm.status(another).await, "completed");
}
