//! The index that moves walk along: whether it is there, and what `migrate` prints when it isn't.

use lead_mover::schema;

use crate::support::Database;

async fn missing(database: &Database) -> Option<String> {
    schema::missing_lead_index(database.session())
        .await
        .expect("no error")
}

#[tokio::test]
async fn migrate_prints_the_statement_until_it_has_been_run() {
    let database = Database::new().await;
    let silent = database.migrate(&[]).await;
    assert!(!silent.stdout.contains("create index"), "{silent:?}");

    database.run("drop index public.leads_run_id_id_idx").await;
    let printed = database.migrate(&[]).await;

    assert_eq!(printed.status, Some(0), "{printed:?}");
    let statement = "create index concurrently on public.leads (run_id, id);";
    assert_eq!(
        printed.stdout.lines().last(),
        Some(statement),
        "{printed:?}"
    );
    database.run(statement).await;
    assert_eq!(database.migrate(&[]).await.stdout, silent.stdout);
}

#[tokio::test]
async fn the_statement_has_the_names_of_the_table_under_the_view() {
    let database = Database::empty().await;
    database
        .run(
            r#"create schema "CRM";
               create table "CRM"."Leads ""do"" Mês" (
                 old integer, "Código" text primary key, "order" uuid, a uuid, b uuid
               );
               alter table "CRM"."Leads ""do"" Mês" drop column old;
               create schema lead_mover;
               create view lead_mover.leads as
                 select "order" as run_id, a as funnel_id, b as column_id, "Código" as id
                 from "CRM"."Leads ""do"" Mês" where a is not null"#,
        )
        .await;

    let statement = missing(&database).await.expect("there is no index");

    assert_eq!(
        statement,
        r#"create index concurrently on "CRM"."Leads ""do"" Mês" ("order", "Código")"#
    );
    database.run(&statement).await;
    assert_eq!(missing(&database).await, None);
}

#[tokio::test]
async fn only_an_index_in_the_order_of_the_walk_counts() {
    let database = Database::new().await;
    database
        .run("alter table public.leads add code text not null default ''")
        .await;
    for (index, serves) in [
        ("(run_id)", false),
        ("(run_id) include (id)", false),
        ("(id, run_id)", false),
        ("(run_id, code, id)", false),
        ("(run_id, (id::text))", false),
        ("(run_id, id) where column_id is null", false),
        ("using brin (run_id, id)", false),
        ("(run_id, id)", true),
        ("(run_id, id desc)", true),
        ("(run_id, id, column_id) include (name)", true),
    ] {
        database.run("drop index public.leads_run_id_id_idx").await;
        database
            .run(&format!(
                "create index leads_run_id_id_idx on public.leads {index}"
            ))
            .await;
        assert_eq!(missing(&database).await.is_none(), serves, "{index}");
    }

    // What a `create index concurrently` leaves that was interrupted.
    database
        .run(
            "update pg_index set indisvalid = false
             where indexrelid = 'public.leads_run_id_id_idx'::regclass",
        )
        .await;
    assert!(missing(&database).await.is_some());
}

#[tokio::test]
async fn keys_that_are_text_need_an_index_in_their_own_order() {
    let database = Database::new().await;
    database
        .run(
            "create table public.texts (id text primary key, run_id uuid, funnel_id uuid, column_id uuid);
             create or replace view lead_mover.leads_of_texts as select * from public.texts;
             alter view lead_mover.leads rename to leads_of_uuids;
             alter view lead_mover.leads_of_texts rename to leads",
        )
        .await;
    for (key, serves) in [
        ("id text_pattern_ops", false),
        (r#"id collate "C""#, false),
        ("id", true),
    ] {
        database
            .run(&format!(
                "drop index if exists public.texts_idx; create index texts_idx on public.texts (run_id, {key})"
            ))
            .await;
        assert_eq!(missing(&database).await.is_none(), serves, "{key}");
    }
}

#[tokio::test]
async fn a_partitioned_table_gets_a_statement_that_it_takes() {
    let database = Database::empty().await;
    database
        .run(
            "create schema lead_mover;
             create table public.parts (id bigint, run_id uuid, funnel_id uuid, column_id uuid)
             partition by hash (id);
             create table public.part partition of public.parts for values with (modulus 1, remainder 0);
             create view lead_mover.leads as select * from public.parts",
        )
        .await;

    let statement = missing(&database).await.expect("there is no index");

    assert_eq!(statement, "create index on public.parts (run_id, id)");
    database.run(&statement).await;
    assert_eq!(missing(&database).await, None);
}

#[tokio::test]
async fn no_index_is_proposed_for_a_view_that_is_not_a_simple_one_over_one_table() {
    let database = Database::new().await;
    database
        .run(
            "drop index public.leads_run_id_id_idx;
             alter view lead_mover.leads rename to simple",
        )
        .await;
    for view in [
        "select l.* from lead_mover.simple l",
        "select l.id, r.id as run_id, l.funnel_id, l.column_id
         from public.leads l join public.runs r on r.id = l.run_id",
        "select l.id, l.run_id, l.funnel_id, l.column_id
         from public.leads l join public.runs r on r.id = l.run_id",
        "select id::text as id, run_id, funnel_id, column_id from public.leads",
        "select null::uuid as id, null::uuid as run_id, null::uuid as funnel_id, null::uuid as column_id",
    ] {
        database
            .run(&format!(
                "drop view if exists lead_mover.leads; create view lead_mover.leads as {view}"
            ))
            .await;
        assert_eq!(missing(&database).await, None, "{view}");
    }

    database
        .run(
            "drop view lead_mover.leads;
             create view lead_mover.leads as select * from public.leads",
        )
        .await;
    assert!(missing(&database).await.is_some(), "it is a simple one");
}
