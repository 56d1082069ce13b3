//! `lead-mover migrate`: what it creates, what it does not change, what makes it fail.

use lead_mover::migrate;
use lead_mover::schema::SchemaState;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{
    Database, EXAMPLE_TABLES, Target, assert_same_schema, enqueue_in, process_in,
};

#[tokio::test]
async fn migrating_again_prints_current_and_changes_nothing() {
    let database = Database::empty().await;
    assert_eq!(database.schema_state().await, SchemaState::Missing);

    let first = database.migrate(&["--example-schema"]).await;
    assert_eq!(first.status, Some(0), "{first:?}");
    assert!(first.stdout.contains(": applied "), "{first:?}");
    let schema = database.schema();
    assert!(schema.contains("CREATE FUNCTION public.queue_lead_migration("));
    assert_eq!(database.schema_state().await, SchemaState::Current);

    let second = database.migrate(&[]).await;
    assert_eq!(second.status, Some(0), "{second:?}");
    assert!(
        second.stdout.ends_with(": the schema is current\n"),
        "{second:?}"
    );
    assert_eq!(second.stderr, "");
    assert_same_schema(&database.schema(), &schema);
}

#[tokio::test]
async fn twenty_at_once_on_one_empty_database_all_succeed() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;

    install_twenty_times_at_once(&database).await;
}

#[tokio::test]
async fn twenty_at_once_beside_the_old_systems_queue_all_succeed() {
    let database = Database::without_lead_mover().await;
    database
        .run("do $$ begin perform pgmq.create('lead_migration_queue'); end $$")
        .await;

    install_twenty_times_at_once(&database).await;
}

/// One of them installs it all, and the others find it current.
async fn install_twenty_times_at_once(database: &Database) {
    let mut installations = JoinSet::new();
    for _ in 0..20 {
        let settings = database.settings();
        installations.spawn(async move { migrate::install(&settings, false).await });
    }
    let mut applied: Vec<usize> = installations
        .join_all()
        .await
        .into_iter()
        .map(|outcome| outcome.expect("it installs").len())
        .collect();
    applied.sort_unstable();
    assert!(applied[..19].iter().all(|files| *files == 0), "{applied:?}");
    assert!(applied[19] > 20, "{applied:?}");
    assert_same_schema(&database.schema(), &Database::new().await.schema());
}

#[tokio::test]
async fn mapping_views_that_exist_are_not_changed_and_leads_move_through_them() {
    let database = Database::empty().await;
    database
        .run(
            r#"create schema "CRM";
               create table "CRM"."Leads do Mês" (
                 "Código" bigint generated always as identity primary key,
                 "Extração" uuid not null,
                 "select" uuid,
                 "column" uuid
               );
               create index on "CRM"."Leads do Mês" ("Extração", "Código");
               create table "CRM"."user" ("ID" uuid primary key, "Nome ""curto""" text);
               create table "CRM"."order" ("ID" uuid primary key, "select" uuid not null);
               create schema lead_mover;
               create view lead_mover.leads as
                 select "Código" as id, "Extração" as run_id, "select" as funnel_id, "column" as column_id
                 from "CRM"."Leads do Mês";
               create view lead_mover.runs as select "ID" as id, "Nome ""curto""" as name from "CRM"."user";
               create view lead_mover.columns as select "ID" as id, "select" as funnel_id from "CRM"."order""#,
        )
        .await;
    let definitions = "select string_agg(pg_get_viewdef(c.oid), e'\n' order by c.relname) from pg_class c
         where c.relnamespace = 'lead_mover'::regnamespace and c.relname in ('leads', 'runs', 'columns')";
    let before: String = database.value(definitions, &[]).await;

    migrate::install(&database.settings(), false)
        .await
        .expect("it installs");
    migrate::install(&database.settings(), false)
        .await
        .expect("it is current");

    assert_eq!(database.value::<String>(definitions, &[]).await, before);
    let (run, target) = (Uuid::new_v4(), a_target());
    database
        .run(&format!(
            r#"insert into "CRM"."user" values ('{run}', 'Padarias');
               insert into "CRM"."order" values ('{}', '{}');
               insert into "CRM"."Leads do Mês" ("Extração") select '{run}' from generate_series(1, 250)"#,
            target.column, target.funnel
        ))
        .await;
    let answer = enqueue_in(database.session(), run, target, None)
        .await
        .expect("it is queued");
    assert_eq!(answer["run_name"], "Padarias");
    while process_in(database.session(), None)
        .await
        .expect("no error")
        .is_some()
    {}
    let there: i64 = database
        .value(
            r#"select count(*) from "CRM"."Leads do Mês" where "select" = $1 and "column" = $2"#,
            &[&target.funnel, &target.column],
        )
        .await;
    assert_eq!(there, 250);
}

fn a_target() -> Target {
    Target {
        funnel: Uuid::new_v4(),
        column: Uuid::new_v4(),
    }
}

#[tokio::test]
async fn without_tables_it_stops_with_the_views_to_create_and_leaves_nothing_behind() {
    let database = Database::empty().await;

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1));
    assert_eq!(failed.stdout, "");
    let (error, hint) = failed.stderr.split_once('\n').expect("an error, a hint");
    for missing in ["leads.id", "leads.run_id", "runs.name", "columns.funnel_id"] {
        assert!(error.contains(&format!("public.{missing}")), "{error}");
    }
    assert!(hint.starts_with("hint: "), "{hint}");
    for view in ["leads", "runs", "columns"] {
        assert!(
            hint.contains(&format!("\ncreate view lead_mover.{view} as select ")),
            "{hint}"
        );
    }
    let error = migrate::install(&database.settings(), false)
        .await
        .expect_err("there are no tables");
    assert!(hint.contains(error.hint().expect("the same hint")));
    assert!(!database.has("lead_mover").await);
    assert_eq!(database.schema_state().await, SchemaState::Missing);
}

#[tokio::test]
async fn a_table_or_a_view_that_lacks_a_column_is_named_with_it() {
    for (statements, missing) in [
        (
            "alter table public.leads drop column funnel_id",
            "public.leads.funnel_id",
        ),
        (
            "create schema lead_mover; create view lead_mover.runs as select id from public.runs",
            "lead_mover.runs.name",
        ),
    ] {
        let database = Database::empty().await;
        database.run(EXAMPLE_TABLES).await;
        database.run(statements).await;

        let failed = database.migrate(&[]).await;

        assert_eq!(failed.status, Some(1));
        let error = failed.stderr.lines().next().expect("an error");
        assert!(
            error.contains(&format!("there is no {missing} (")),
            "{error}"
        );
        assert!(!database.has("lead_mover.moves").await);
    }
}

#[tokio::test]
async fn the_example_schema_does_not_change_tables_that_exist() {
    let database = Database::empty().await;
    database
        .run("create table public.runs (mine integer); insert into public.runs values (1)")
        .await;

    let failed = database.migrate(&["--example-schema"]).await;

    assert_eq!(failed.status, Some(1));
    let error = failed.stderr.lines().next().expect("an error");
    assert!(error.contains("public already has runs"), "{error}");
    let mine: i32 = database.value("select mine from public.runs", &[]).await;
    assert_eq!(mine, 1);
    assert!(!database.has("lead_mover").await);
    assert!(!database.has("public.leads").await);
}
