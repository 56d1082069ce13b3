//! A change of a key column waits for a transaction that has a lead locked for a note. Such a lead is come back to.

use uuid::Uuid;

use crate::support::{Crm, Database, process_in};

const UNIQUE: &str = "alter table public.leads add place bigserial;";

/// Leads whose funnel or column is a key, or is not.
const KEYS: [&str; 10] = [
    "alter table public.leads add unique (column_id, place)",
    "alter table public.leads add unique (column_id, place) deferrable initially deferred",
    "create unique index on public.leads (funnel_id, place)",
    "create unique index on public.leads (place) include (column_id)",
    "create unique index on public.leads (column_id, place) where place > 0",
    "create unique index on public.leads ((column_id::text), place)",
    "alter table public.leads add board text generated always as (column_id::text || place::text) stored;
     create unique index on public.leads (board)",
    r#"create unique index on public.leads (column_id, place);
     create view public."My Leads" as select id, run_id, funnel_id, column_id as "column id" from public.leads;
     create or replace view lead_mover.leads as
     select id, run_id, funnel_id, "column id" as column_id from public."My Leads""#,
    INHERITED,
    PARTITIONED,
];

/// The rows are in a child table, which alone has the index.
const INHERITED: &str = "
  create table public.archived_leads () inherits (public.leads);
  create index on public.archived_leads (run_id, id);
  create unique index on public.archived_leads (column_id, place);
  create function public.to_child() returns trigger language plpgsql as $$ begin
    insert into public.archived_leads values (new.*);
    return null;
  end $$;
  create trigger to_child before insert on public.leads for each row execute function public.to_child()";

/// Partitions by column: an update of a lead deletes it in one and inserts it in the other.
const PARTITIONED: &str = "
  drop view lead_mover.leads;
  alter table public.leads rename to old_leads;
  create table public.leads (like public.old_leads including defaults) partition by list (column_id);
  create table public.leads_all partition of public.leads default;
  create index on public.leads (run_id, id);
  create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.leads";

/// Locks the lead as the check of a note's foreign key does; the 299 others move, and nothing waits.
async fn others_move(crm: &Crm<'_>, database: &Database, run: Uuid, what: &str) {
    let leads = crm.lead_ids(run).await;
    let (user, worker) = (database.open().await, database.open().await);
    user.batch_execute(&format!(
        "begin; select from public.leads where id = '{}' for key share",
        leads[10]
    ))
    .await
    .unwrap();
    worker
        .batch_execute("set lock_timeout = '30s'; set statement_timeout = '60s'")
        .await
        .unwrap();
    crm.enqueue(run).await;

    for _ in 0..6 {
        crm.make_due().await;
        if let Some(batch) = process_in(&worker, None).await.unwrap() {
            assert!(batch.success, "{what}: {batch:?}");
        }
        assert_eq!(database.waiting().await, 0);
    }

    let at_target = crm.leads_at(run, crm.target).await;
    assert!(at_target >= 299, "{what}: {at_target}");
    crm.check().await;
    user.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    crm.all_moved(run).await;
}

#[tokio::test]
async fn a_lead_with_an_open_note_holds_up_no_other_whatever_the_indexes() {
    for key in KEYS {
        let database = Database::new().await;
        let crm = database.crm().await;
        database.run(&format!("{UNIQUE} {key}")).await;
        let run = crm.run_of(300).await;
        others_move(&crm, &database, run, key).await;
    }
}

#[tokio::test]
async fn leads_in_partitions_of_their_columns_are_moved_from_one_to_the_other() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database.run(&format!("{UNIQUE} {PARTITIONED}")).await;
    database
        .run(&format!(
            "create table public.leads_target partition of public.leads for values in ('{}')",
            crm.target.column
        ))
        .await;
    let run = crm.run_of(300).await;
    others_move(&crm, &database, run, "two partitions").await;
    let moved: i64 = database
        .value("select count(*) from public.leads_target", &[])
        .await;
    assert_eq!(moved, 300);
}

#[tokio::test]
async fn a_unique_index_that_comes_in_the_middle_of_a_move_rejects_no_lead() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let leads = crm.lead_ids(run).await;
    crm.enqueue(run).await;
    database.run(&format!("{UNIQUE} {}", KEYS[0])).await;
    let (user, worker) = (database.open().await, database.open().await);
    user.batch_execute(&format!(
        "begin; select from public.leads where id = '{}' for key share",
        leads[10]
    ))
    .await
    .unwrap();
    worker
        .batch_execute("set lock_timeout = '50ms'")
        .await
        .unwrap();
    for _ in 0..6 {
        crm.make_due().await;
        process_in(&worker, None).await.unwrap();
    }
    assert_eq!(crm.rejected(run).await, []);
    assert_eq!(crm.leads_at(run, crm.target).await, 299);
    crm.check().await;

    user.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    crm.all_moved(run).await;
}

/// What a trigger writes is in no catalog: after the first batch that waits, the leads are locked as strongly as any
/// update can need.
#[tokio::test]
async fn a_lead_with_an_open_note_holds_up_no_other_where_a_trigger_writes_a_key() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let leads = crm.lead_ids(run).await;
    database
        .run("alter table public.leads add slug text unique")
        .await;
    let body = "new.slug := new.column_id::text || new.id::text; return new;";
    database
        .on_leads("before update on public.leads for each row", body)
        .await;
    crm.enqueue(run).await;
    let (user, worker) = (database.open().await, database.open().await);
    user.batch_execute(&format!(
        "begin; select from public.leads where id = '{}' for key share",
        leads[10]
    ))
    .await
    .unwrap();
    worker
        .batch_execute("set lock_timeout = '50ms'")
        .await
        .unwrap();

    for _ in 0..6 {
        crm.make_due().await;
        process_in(&worker, None).await.unwrap();
    }

    assert_eq!(crm.leads_at(run, crm.target).await, 299);
    user.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    crm.all_moved(run).await;
}
