//! The leads' key is changed after the installation: `migrate` changes the ledger's columns with it.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Database, process_in};

const RUN: Uuid = Uuid::from_u128(1);
const FUNNEL: Uuid = Uuid::from_u128(2);
const COLUMN: Uuid = Uuid::from_u128(3);

/// A database whose leads have keys of that type.
async fn with_key(key_type: &str) -> Database {
    let database = Database::empty().await;
    database
        .run(&format!(
            "create domain public.short as varchar(8) not null check (value <> '');
             create domain public.large as bigint not null check (value > 0);
             create table public.runs (id uuid primary key, name text);
             create table public.columns (id uuid primary key, funnel_id uuid);
             create table public.leads (
               id {key_type} primary key, run_id uuid, funnel_id uuid, column_id uuid
             );
             create index on public.leads (run_id, id);
             insert into public.runs values ('{RUN}', 'Run');
             insert into public.columns values ('{COLUMN}', '{FUNNEL}')"
        ))
        .await;
    migrate(&database).await;
    database
}

async fn migrate(database: &Database) {
    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
}

async fn add(database: &Database, keys: &str) {
    database
        .run(&format!(
            "insert into public.leads (id, run_id) select k, '{RUN}' from {keys} as k"
        ))
        .await;
}

async fn queue(database: &Database) -> Value {
    database
        .value(
            "select public.queue_lead_migration($1, $2, $3)",
            &[&RUN, &FUNNEL, &COLUMN],
        )
        .await
}

/// Moves until nothing is due; all leads are at the target then.
async fn all_move(database: &Database, what: &str) {
    while let Some(batch) = process_in(database.session(), None).await.unwrap() {
        assert!(batch.success, "{what}: {batch:?}");
    }
    let elsewhere = "select count(*) from public.leads where column_id is distinct from $1";
    assert_eq!(
        database.value::<i64>(elsewhere, &[&COLUMN]).await,
        0,
        "{what}"
    );
    let status = "select status from public.get_lead_migration_progress($1) order by migration_id desc limit 1";
    assert_eq!(
        database.value::<String>(status, &[&RUN]).await,
        "completed",
        "{what}"
    );
}

/// The type before, some keys of it, the type after, and keys that only that one can hold.
const CHANGES: [(&str, &str, &str, &str); 7] = [
    (
        "char(2)",
        "unnest(array['a', 'b'])",
        "char(26)",
        "unnest(array['c of more than two letters', 'd'])",
    ),
    (
        "integer",
        "generate_series(1, 250)",
        "bigint",
        "generate_series(3000000000, 3000000250)",
    ),
    (
        "smallint",
        "generate_series(1, 250)",
        "public.large",
        "generate_series(3000000000, 3000000250)",
    ),
    (
        "varchar(8)",
        "unnest(array['a', 'b'])",
        "varchar(40)",
        "unnest(array['c of more than eight letters', 'd'])",
    ),
    (
        "public.short",
        "unnest(array['a', 'b'])",
        "text",
        "unnest(array['c of more than eight letters', 'd'])",
    ),
    (
        "bigint",
        "generate_series(1, 250)",
        "numeric",
        "generate_series(1e30, 1e30 + 250)",
    ),
    (
        "varchar(8)",
        "unnest(array['a', 'b'])",
        "char(40)",
        "unnest(array['c of more than eight letters', 'd'])",
    ),
];

#[tokio::test]
async fn a_key_that_is_widened_between_two_moves_is_moved_after_migrate() {
    for (before, keys, after, wider) in CHANGES {
        let what = format!("{before} to {after}");
        let database = with_key(before).await;
        add(&database, keys).await;
        queue(&database).await;
        all_move(&database, &what).await;

        database
            .run(&format!(
                "drop view lead_mover.leads; alter table public.leads alter id type {after}"
            ))
            .await;
        migrate(&database).await;
        add(&database, wider).await;

        assert_eq!(queue(&database).await["success"], true, "{what}");
        all_move(&database, &what).await;
    }
}

#[tokio::test]
async fn a_key_that_is_widened_in_the_middle_of_a_move_is_moved_after_migrate() {
    let (before, keys, after, _) = CHANGES[1];
    let database = with_key(before).await;
    add(&database, keys).await;
    queue(&database).await;
    process_in(database.session(), None).await.unwrap();

    database
        .run(&format!(
            "drop view lead_mover.leads; alter table public.leads alter id type {after}"
        ))
        .await;
    migrate(&database).await;

    all_move(&database, "in the middle").await;
}

#[tokio::test]
async fn leads_with_keys_of_a_type_that_has_no_cast_are_mapped_while_no_move_is_active() {
    for (before, keys) in [
        ("integer", "generate_series(1, 250)"),
        ("bigint", "generate_series(1, 9)"),
    ] {
        let database = with_key(before).await;
        add(&database, keys).await;
        queue(&database).await;
        all_move(&database, before).await;

        database
            .run(
                "drop view lead_mover.leads; drop table public.leads;
                 create table public.leads (
                   id uuid primary key, run_id uuid, funnel_id uuid, column_id uuid
                 );
                 create index on public.leads (run_id, id)",
            )
            .await;
        migrate(&database).await;
        let uuids = "unnest(array(select gen_random_uuid() from generate_series(1, 250)))";
        add(&database, uuids).await;

        assert_eq!(queue(&database).await["total"], 250);
        all_move(&database, "uuid").await;
    }
}

/// A lane is a range of keys in their order: 9 comes before 10 as a number and after it as text.
#[tokio::test]
async fn keys_are_put_into_another_order_only_while_no_move_has_leads_left() {
    for (before, keys, after) in [
        ("integer", "generate_series(1, 250)", "text"),
        (
            "text",
            "unnest(array(select i::text from generate_series(1, 250) i))",
            "integer using id::integer",
        ),
        (
            "text collate \"C\"",
            "unnest(array(select i::text from generate_series(1, 250) i))",
            "text collate \"en-x-icu\"",
        ),
    ] {
        let database = with_key(before).await;
        add(&database, keys).await;
        queue(&database).await;
        process_in(database.session(), None).await.unwrap();
        database
            .run(&format!(
                "drop view lead_mover.leads; alter table public.leads alter id type {after}"
            ))
            .await;

        let migrated = database.migrate(&[]).await;

        assert_eq!(
            migrated.status,
            Some(1),
            "{before} to {after}: {migrated:?}"
        );
        assert!(
            migrated.stderr.contains("Cancel the active moves"),
            "{migrated:?}"
        );
        database
            .run(
                "create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.leads;
                 select public.cancel_lead_migration(run_id) from lead_mover.moves",
            )
            .await;
        migrate(&database).await;
        queue(&database).await;
        all_move(&database, after).await;
    }
}
