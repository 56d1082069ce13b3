//! Operators that another role has created in a schema where triggers look for their tables.

use lead_mover::migrate;
use uuid::Uuid;

use crate::support::{Database, process_in};

/// Before PostgreSQL 15 every role may create objects in public, and the functions that move leads have it in
/// their search path, for the triggers. Without care a key of a type for which `pg_catalog` has no operator of
/// exactly that type is compared with an operator that another role created.
#[tokio::test]
async fn an_operator_in_public_that_fits_the_keys_better_is_not_used() {
    for key_type in ["character varying(40)", "public.lead_key"] {
        let database = Database::empty().await;
        database
            .run(&format!(
                "create domain public.lead_key as text;
                 create table public.runs (id uuid primary key, name text);
                 create table public.columns (id uuid primary key, funnel_id uuid);
                 create table public.leads (
                   id {key_type} primary key, run_id uuid, funnel_id uuid, column_id uuid, name text
                 );
                 create index on public.leads (run_id, id)"
            ))
            .await;
        migrate::install(&database.settings(), false).await.unwrap();
        database
            .run(&format!(
                "create schema hostile;
                 create sequence hostile.strikes;
                 grant usage on schema hostile to public;
                 grant usage on hostile.strikes to public;
                 grant create on schema public to lead_mover_stranger;
                 set role lead_mover_stranger;
                 create function public.strike({key_type}, {key_type}) returns boolean language plpgsql as
                 $$ begin
                   perform nextval('hostile.strikes');
                   raise exception 'hostile code was run as %', current_user;
                 end $$;
                 do $$
                 declare
                   v_operator text;
                 begin
                   foreach v_operator in array array['=', '<>', '<', '<=', '>', '>='] loop
                     execute format(
                       'create operator public.%s (leftarg = {key_type}, rightarg = {key_type}, function = public.strike)',
                       v_operator
                     );
                   end loop;
                 end
                 $$;
                 reset role"
            ))
            .await;
        let [run, funnel, column] = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
        database
            .run(&format!(
                "insert into public.runs values ('{run}', 'Padarias');
                 insert into public.columns values ('{column}', '{funnel}');
                 insert into public.leads select n, '{run}' from generate_series(1, 250) n"
            ))
            .await;
        let user = database.open().await;
        user.batch_execute(
            "begin; update public.leads set name = 'x' where name is null and id::text = '7'",
        )
        .await
        .unwrap();
        database
            .run(&format!(
                "select public.queue_lead_migration('{run}', '{funnel}', '{column}')"
            ))
            .await;

        for _ in 0..5 {
            let batch = process_in(database.session(), None).await.unwrap();
            assert!(batch.is_none_or(|batch| batch.success), "{key_type}");
        }
        user.batch_execute("rollback").await.unwrap();
        database
            .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp()")
            .await;
        process_in(database.session(), None).await.unwrap();

        let hostile_code_ran = "select is_called from hostile.strikes";
        assert!(
            !database.value::<bool>(hostile_code_ran, &[]).await,
            "{key_type}"
        );
        let status = "select status from public.get_lead_migration_progress()";
        assert_eq!(database.value::<String>(status, &[]).await, "completed");
        let moved = "select count(*) from public.leads where column_id is not null";
        assert_eq!(database.value::<i64>(moved, &[]).await, 250, "{key_type}");
    }
}
