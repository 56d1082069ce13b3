//! The CRM's own tables, with any names and types of keys, through the views.

use lead_mover::migrate;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Batch, Database, Session, process_in};

/// A database whose tables have names that have to be quoted, and leads with keys of that type.
async fn unusual(key_type: &str) -> Database {
    let database = Database::empty().await;
    database
        .run(&format!(
            r#"create schema "Order; drop";
               create table "Order; drop"."Column" ("ID" uuid primary key, "table" uuid not null);
               create table "Order; drop"."group" ("ID" uuid primary key, "user" text);
               create table "Order; drop"."select" (
                 "Key; --" {key_type} primary key,
                 "Group" uuid not null,
                 "from" uuid,
                 "WHERE" uuid references "Order; drop"."Column" ("ID"),
                 "phone" text
               );
               create index on "Order; drop"."select" ("Group", "Key; --");
               create schema lead_mover;
               create view lead_mover.leads as
                 select "Key; --" as id, "Group" as run_id, "from" as funnel_id, "WHERE" as column_id
                 from "Order; drop"."select";
               create view lead_mover.runs as select "ID" as id, "user" as name from "Order; drop"."group";
               create view lead_mover.columns as
                 select "ID" as id, "table" as funnel_id from "Order; drop"."Column""#
        ))
        .await;
    migrate::install(&database.settings(), false)
        .await
        .expect("it installs over the views that are there");
    database
}

/// A run of 2 500 leads whose keys are made of `n` by that expression; the run, funnel and column.
async fn fill(database: &Database, key: &str) -> [Uuid; 3] {
    let ids = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    let session = database.session();
    session
        .execute(
            r#"insert into "Order; drop"."group" values ($1, 'O''Hara; "drop"')"#,
            &[&ids[0]],
        )
        .await
        .unwrap();
    session
        .execute(
            r#"insert into "Order; drop"."Column" values ($2, $1)"#,
            &[&ids[1], &ids[2]],
        )
        .await
        .unwrap();
    session
        .execute(
            &format!(
                r#"insert into "Order; drop"."select" ("Key; --", "Group")
                   select {key}, $1 from generate_series(1, 2500) as n"#
            ),
            &[&ids[0]],
        )
        .await
        .unwrap();
    ids
}

async fn process_to_the_end(database: &Database) -> Vec<Batch> {
    let mut batches = Vec::new();
    loop {
        database
            .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp()")
            .await;
        match process_in(database.session(), None).await.unwrap() {
            Some(batch) => batches.push(batch),
            None => return batches,
        }
    }
}

async fn lock_some(database: &Database) -> Session {
    let user = database.open().await;
    user.batch_execute(
        r#"begin;
               update "Order; drop"."select" set phone = '1'
               where "Key; --" in (
                 select "Key; --" from "Order; drop"."select" order by "Key; --" offset 1200 limit 3
               )"#,
    )
    .await
    .unwrap();
    user
}

/// A whole move in several lanes: some leads locked at first, one rejected and then retried.
async fn a_whole_move_completes(key_type: &str, key: &str) {
    let database = unusual(key_type).await;
    let [run, funnel, column] = fill(&database, key).await;
    database
        .run(&format!(
            r#"alter table "Order; drop"."select" add constraint stays
                 check ("Key; --" <> {} or "WHERE" is null)"#,
            first_key(&database).await
        ))
        .await;
    let answer: Value = database
        .value(
            "select public.queue_lead_migration($1, $2, $3)",
            &[&run, &funnel, &column],
        )
        .await;
    assert_eq!(answer["total"], 2_500);
    assert_eq!(answer["run_name"], "O'Hara; \"drop\"");
    let lanes: i64 = database
        .value("select count(*) from pgmq.q_lead_migration_queue", &[])
        .await;
    assert_eq!(lanes, 3);
    let user = lock_some(&database).await;
    let mut moved = 0;
    for _ in 0..30 {
        let batch = process_in(database.session(), None).await.unwrap();
        moved += batch.map_or(0, |batch| batch.leads_moved);
    }
    assert_eq!(moved, 2_496, "all but those locked and the one rejected");
    user.batch_execute("rollback").await.unwrap();

    let batches = process_to_the_end(&database).await;

    assert_eq!(
        batches.iter().map(|batch| batch.leads_moved).sum::<i32>(),
        3
    );
    let status = "select status from public.get_lead_migration_progress() limit 1";
    assert_eq!(
        database.value::<String>(status, &[]).await,
        "completed_with_errors"
    );
    database
        .run(r#"alter table "Order; drop"."select" drop constraint stays"#)
        .await;
    let answer: Value = database
        .value("select public.retry_lead_migration($1)", &[&run])
        .await;
    assert_eq!(answer["total"], 1);
    process_to_the_end(&database).await;
    assert_eq!(database.value::<String>(status, &[]).await, "completed");
    let there: i64 = database
        .value(
            r#"select count(*) from "Order; drop"."select" where "from" = $1 and "WHERE" = $2"#,
            &[&funnel, &column],
        )
        .await;
    assert_eq!(there, 2_500);
}

/// The first lead's key, as a literal.
async fn first_key(database: &Database) -> String {
    database
        .value(
            r#"select quote_literal("Key; --") from "Order; drop"."select" order by "Key; --" limit 1"#,
            &[],
        )
        .await
}

const TEXT_KEYS: &str = r#"(array['a', 'B', 'é', '"', '{'])[n % 5 + 1] || n || ', ''\ NULL'"#;

#[tokio::test]
async fn keys_may_be_bigint() {
    a_whole_move_completes("bigint", "n * 7 - 5000").await;
}

#[tokio::test]
async fn keys_may_be_uuid() {
    a_whole_move_completes("uuid", "md5(n::text)::uuid").await;
}

#[tokio::test]
async fn keys_may_be_text() {
    a_whole_move_completes("text", TEXT_KEYS).await;
}

#[tokio::test]
async fn keys_may_be_text_of_another_collation() {
    a_whole_move_completes("text collate \"C\"", TEXT_KEYS).await;
}

#[tokio::test]
async fn keys_may_be_varchar_of_another_collation() {
    a_whole_move_completes("varchar(30) collate \"POSIX\"", TEXT_KEYS).await;
}

#[tokio::test]
async fn views_that_exist_are_not_changed() {
    let database = unusual("bigint").await;
    let definitions = "select array_agg(pg_get_viewdef(c.oid) order by c.relname)
         from pg_class c
         where c.oid in ('lead_mover.leads'::regclass, 'lead_mover.runs'::regclass, 'lead_mover.columns'::regclass)";
    let before: Vec<String> = database.value(definitions, &[]).await;

    migrate::install(&database.settings(), false)
        .await
        .expect("again");

    assert_eq!(
        database.value::<Vec<String>>(definitions, &[]).await,
        before
    );
}
