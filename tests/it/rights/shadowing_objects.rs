//! Shadowing objects: another role has created objects with the names of those that the functions use.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Crm, Database, Session, enqueue_in, process_in};

/// In the schema `hostile` an object with the name of every function, operator, type and relation that could be meant,
/// with the very parameters of the original. Each raises an error when it is used, and counts that where
/// no rollback undoes it.
const SHADOWING_OBJECTS: &str = r"
create schema hostile;
create sequence hostile.strikes;
create function hostile.strike() returns pg_catalog.bool language plpgsql as
$$ begin
  perform pg_catalog.nextval('hostile.strikes');
  raise exception 'hostile code was run as %', current_user;
end $$;

do $$
declare
  v_statement text;
  v_objects integer := 0;
begin
  for v_statement in
    -- Functions and operators first, as types and relations would be in the way.
    select format(
      'create function hostile.%I(%s) returns pg_catalog.bool language sql as ''select hostile.strike()''',
      p.proname, p.parameters
    )
    from (
      select distinct p.proname, array_to_string(p.proargtypes::regtype[], ', ') as parameters
      from pg_proc p
      where p.pronamespace in ('pg_catalog'::regnamespace, 'lead_mover'::regnamespace, 'pgmq'::regnamespace)
        and p.prokind in ('f', 'a')
        and not p.proargtypes::oid[] && array(select oid from pg_type where typtype = 'p')
    ) p
    union all
    select format(
      'create operator hostile.%s (leftarg = %s, rightarg = %s, function = hostile.%I)',
      o.oprname, o.oprleft::regtype, o.oprright::regtype, p.proname
    )
    from pg_operator o
    join pg_proc p on p.oid = o.oprcode
    where o.oprleft <> 0
      and not array[o.oprleft, o.oprright] && array(select oid from pg_type where typtype = 'p')
    union all
    select format(
      'create type hostile.%I as enum (''shadowing''); create cast (%2$s as hostile.%1$I) with inout as implicit', t.typname, t.oid::regtype
    )
    from pg_type t
    where t.oid in ('uuid'::regtype, 'text'::regtype, 'jsonb'::regtype, 'int4'::regtype, 'int8'::regtype,
      'bool'::regtype, 'float8'::regtype, 'timestamptz'::regtype, 'interval'::regtype, 'numeric'::regtype)
    union all
    select distinct format('create table hostile.%I (shadowing pg_catalog.int4)', c.relname)
    from pg_class c
    where c.relnamespace in ('lead_mover'::regnamespace, 'pgmq'::regnamespace, 'public'::regnamespace)
      and c.relkind in ('r', 'v')
  loop
    execute v_statement;
    v_objects := v_objects + 1;
  end loop;

  if v_objects < 2000 then
    raise exception 'only % shadowing objects', v_objects;
  end if;
end
$$
";

/// A session whose names are looked up in the hostile schema first.
async fn session_with_hostile_path(database: &Database) -> Session {
    let session = database.open().await;
    session
        .batch_execute("set search_path = hostile, pg_catalog, lead_mover, pgmq, public")
        .await
        .unwrap();
    let error = session.batch_execute("select 'a'::text || 'b'::text").await;
    assert!(error.is_err(), "the shadowing objects are not found");
    database.run("alter sequence hostile.strikes restart").await;
    session
}

/// Whether any hostile code was run, be it in a subtransaction that was undone.
async fn hostile_code_ran(database: &Database) -> bool {
    database
        .value("select is_called from hostile.strikes", &[])
        .await
}

async fn call(session: &Session, function: &str, run: Uuid) -> Value {
    let row = session
        .query_one(&format!("select public.{function}($1)"), &[&run])
        .await;
    row.unwrap_or_else(|error| panic!("{function}: {error:?}"))
        .get(0)
}

async fn process_to_the_end(crm: &Crm<'_>, session: &Session) {
    while crm.queue_length().await > 0 {
        crm.make_due().await;
        let batch = process_in(session, None).await.unwrap();
        assert!(batch.is_some_and(|batch| batch.success));
    }
}

#[tokio::test]
async fn no_function_and_no_batch_uses_a_shadowing_object() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, sent) = (crm.run_of(1_250).await, crm.run_of(3).await);
    let rejected = crm.lead_ids(run).await[5];
    database
        .run(&format!(
            "alter table public.leads add constraint stays check (id <> '{rejected}' or column_id <> '{}')",
            crm.target.column
        ))
        .await;
    database.run(SHADOWING_OBJECTS).await;
    let user = database.open().await;
    user.batch_execute("begin; update public.leads set name = 'x' where name = 'Lead 7'")
        .await
        .unwrap();
    let caller = session_with_hostile_path(&database).await;

    for control in ["cancel", "pause", "resume"] {
        let queued = enqueue_in(&caller, run, crm.target, None).await.unwrap();
        assert_eq!(queued["total"], 1_250);
        call(&caller, &format!("{control}_lead_migration"), run).await;
    }
    crm.send(&Crm::message_to(sent, crm.target)).await;
    crm.send(&serde_json::json!([])).await;
    // Past a locked lead and around a rejected one, on every path.
    for _ in 0..15 {
        process_in(&caller, None).await.unwrap();
        let as_the_service = "select outcome from lead_mover.process_batch(null)";
        caller.query_one(as_the_service, &[]).await.unwrap();
    }
    user.batch_execute("rollback").await.unwrap();
    process_to_the_end(&crm, &caller).await;
    assert_eq!(crm.status(run).await, "completed_with_errors");
    assert_eq!(crm.leads_at(run, crm.target).await, 1_249);
    database
        .run("alter table public.leads drop constraint stays")
        .await;
    call(&caller, "retry_lead_migration", run).await;
    process_to_the_end(&crm, &caller).await;
    for reading in [
        "get_lead_migration_progress()",
        "get_lead_migration_queue_status()",
        "get_lead_migration_rejections(2)",
    ] {
        let reading = format!("select * from public.{reading}");
        assert!(!caller.query(&reading, &[]).await.unwrap().is_empty());
    }
    caller
        .batch_execute("select lead_mover.sample()")
        .await
        .unwrap();

    assert!(!hostile_code_ran(&database).await);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 1_250);
    assert_eq!(crm.status(sent).await, "completed");
    crm.check().await;
}
