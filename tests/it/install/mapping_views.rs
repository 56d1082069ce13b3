//! Mapping views over something other than one plain table, and keys of unusual types.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Database, WITHOUT_CONTRIB, is_left_out, process_in};

/// Runs, columns and 1 250 leads for the views to read; the key of the `n`th lead is that expression.
async fn crm_over(tables: &str, leads_view: &str, key: &str) -> (Database, Value) {
    let database = Database::empty().await;
    database
        .run(&format!(
            "create schema crm;
             create table crm.runs (id uuid primary key, name text);
             create table crm.stages (id uuid primary key, board uuid);
             {tables};
             create schema lead_mover;
             create view lead_mover.leads {leads_view};
             create view lead_mover.runs as select id, name from crm.runs;
             create view lead_mover.columns as select id, board as funnel_id from crm.stages"
        ))
        .await;
    let installed = database.migrate(&[]).await;
    assert_eq!(installed.status, Some(0), "{installed:?}");
    let ids: [Uuid; 3] = std::array::from_fn(|_| Uuid::new_v4());
    let [run, board, stage] = ids;
    database
        .run(&format!(
            "insert into crm.runs values ('{run}', 'Padarias');
             insert into crm.stages values ('{stage}', '{board}');
             insert into crm.leads (id, run_id, board, stage)
             select {key}, '{run}', '{}', '{}' from generate_series(1, 1250) as n",
            Uuid::nil(),
            Uuid::nil()
        ))
        .await;
    let queued = database
        .value(
            "select public.queue_lead_migration($1, $2, $3)",
            &[&run, &board, &stage],
        )
        .await;
    (database, queued)
}

/// Queues and moves all leads, one of which is locked at first; none is written twice.
async fn all_leads_move(tables: &str, leads_view: &str, key: &str) {
    let (database, queued) = crm_over(tables, leads_view, key).await;
    assert_eq!(queued["total"], 1_250, "{leads_view}");
    let user = database.open().await;
    user.batch_execute(
        "begin; update crm.leads set phone = '1'
             where id in (select id from crm.leads order by id limit 1)",
    )
    .await
    .unwrap();

    for _ in 0..20 {
        if let Some(batch) = process_in(database.session(), None).await.unwrap() {
            assert!(batch.success, "{batch:?}");
        }
    }
    assert_eq!(moved(&database).await, 1_249, "{leads_view}");
    user.batch_execute("rollback").await.unwrap();
    database
        .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp()")
        .await;
    while process_in(database.session(), None)
        .await
        .unwrap()
        .is_some()
    {}

    assert_eq!(moved(&database).await, 1_250);
    let status = "select status from public.get_lead_migration_progress()";
    assert_eq!(database.value::<String>(status, &[]).await, "completed");
    let written_again = "select count(*) from crm.leads where writes > 1";
    assert_eq!(database.value::<i64>(written_again, &[]).await, 0);
}

async fn moved(database: &Database) -> i64 {
    database
        .value(
            "select count(*) from crm.leads l join crm.stages s on s.id = l.stage and s.board = l.board",
            &[],
        )
        .await
}

/// Counts its leads' writes, so that one too many is seen.
const COUNT_WRITES: &str = "create function crm.count_write() returns trigger language plpgsql as
     $$ begin new.writes := old.writes + 1; return new; end $$;
     create trigger count_write before update of board, stage on crm.leads
     for each row execute function crm.count_write()";

fn table_of(key_type: &str, partitions: &str) -> String {
    let primary_key = if partitions.is_empty() {
        "primary key"
    } else {
        "not null"
    };
    format!(
        "create table crm.leads (
           id {key_type} {primary_key}, run_id uuid, board uuid, stage uuid, phone text, writes int default 0
         ) {partitions};
         create index on crm.leads (run_id, id);
         {COUNT_WRITES}"
    )
}

const PLAIN_VIEW: &str =
    "as select id, run_id, board as funnel_id, stage as column_id from crm.leads";

#[tokio::test]
async fn the_leads_may_be_partitioned_by_their_keys() {
    let partitions = "partition by hash (id);
        create table crm.leads_0 partition of crm.leads for values with (modulus 2, remainder 0);
        create table crm.leads_1 partition of crm.leads for values with (modulus 2, remainder 1)";
    all_leads_move(&table_of("bigint", partitions), PLAIN_VIEW, "n").await;
}

/// Each lead that is moved changes its partition.
#[tokio::test]
async fn the_leads_may_be_partitioned_by_where_they_are() {
    let partitions = format!(
        "partition by list (board);
         create table crm.leads_new partition of crm.leads for values in ('{}');
         create table crm.leads_other partition of crm.leads default",
        Uuid::nil()
    );
    all_leads_move(&table_of("bigint", &partitions), PLAIN_VIEW, "n").await;
}

#[tokio::test]
async fn the_view_may_stand_on_a_view_and_leave_leads_out() {
    let table = table_of("bigint", "");
    let table = format!(
        "{table};
         create view crm.living as select * from crm.leads where phone is distinct from 'deleted';
         insert into crm.runs values ('{0}', 'other');
         insert into crm.leads (id, run_id, phone) values (9999, '{0}', 'deleted')",
        Uuid::nil()
    );
    let view = "as select l.stage as column_id, l.board as funnel_id, l.phone, l.run_id, l.id from crm.living l
        with cascaded check option";
    all_leads_move(&table, view, "n").await;
}

#[tokio::test]
async fn the_view_may_have_the_privileges_of_the_caller() {
    if Database::empty().await.has_invoker_views().await {
        let view = format!("with (security_invoker, security_barrier) {PLAIN_VIEW}");
        all_leads_move(&table_of("bigint", ""), &view, "n").await;
    }
}

/// Domains and enumerations are compared by operators of PostgreSQL's own.
#[tokio::test]
async fn keys_may_be_of_the_crms_own_types() {
    let own_types = [
        ("numeric(12, 2)", "", "n * 1.5"),
        ("date", "", "date '2025-01-01' + n"),
        ("timestamptz", "", "'2025-01-01'::timestamptz + n * interval '1 us'"),
        (
            r#""Order; drop"."Key""#,
            r#"create schema "Order; drop";
               create domain "Order; drop"."Key" as varchar(20) collate "C" check (value <> '')"#,
            "'K-' || n",
        ),
        (
            "crm.code",
            "do $$ begin execute (
               select format('create type crm.code as enum (%s)', string_agg(quote_literal(n), ', ' order by -n))
               from generate_series(1, 1250) as n
             ); end $$",
            "n::text::crm.code",
        ),
    ];
    for (key_type, types, key) in own_types {
        let tables = format!("{types};{}", table_of(key_type, ""));
        all_leads_move(&tables, PLAIN_VIEW, key).await;
    }
}

/// citext sorts its index otherwise than text does, and `pg_catalog` has text's operators only. Through a
/// view that shows it as text its leads do move.
#[tokio::test]
async fn keys_that_cannot_be_compared_are_an_error_with_a_hint() {
    if is_left_out(WITHOUT_CONTRIB) {
        return;
    }
    let database = Database::empty().await;
    let is_offered = "select exists (select from pg_available_extensions where name = 'citext')";
    assert!(
        database.value::<bool>(is_offered, &[]).await,
        "PostgreSQL's extension citext is not installed: install contrib, or set {WITHOUT_CONTRIB}=1"
    );
    database
        .run(
            "create schema extensions;
             create extension citext schema extensions;
             create domain public.email as extensions.citext;
             create table public.runs (id uuid, name text);
             create table public.columns (id uuid, funnel_id uuid)",
        )
        .await;

    for (key_type, named) in [("public.email", "extensions.citext"), ("text[]", "text[]")] {
        database
            .run(&format!(
                "drop table if exists public.leads;
                 create table public.leads (id {key_type} primary key, run_id uuid, funnel_id uuid, column_id uuid)"
            ))
            .await;

        let failed = database.migrate(&[]).await;

        assert_eq!(failed.status, Some(1));
        for part in [&format!("keys of type {named}"), "id::text as id"] {
            assert!(failed.stderr.contains(part), "{}", failed.stderr);
        }
        assert!(
            !database.has("lead_mover").await,
            "nothing is left half done"
        );
    }

    let as_text =
        "as select id::text as id, run_id, board as funnel_id, stage as column_id from crm.leads";
    let table = "create extension citext schema crm;".to_owned()
        + &table_of("crm.citext", "")
        + ";create index on crm.leads (run_id, (id::text))";
    all_leads_move(&table, as_text, "(array['a', 'B', 'A-'])[n % 3 + 1] || n").await;
}
