//! A session keeps the plans of triggers; a table that is altered afterwards is not the leads' fault.

use crate::support::{Database, process_in};

const AUDIT: &str = "
  alter table public.leads add score integer default 1;
  create table public.history (lead_id uuid, score text);
  create function public.score_text(public.leads) returns text language plpgsql as
  $$ begin return $1.score::text; end $$";

#[tokio::test]
async fn a_column_whose_type_changes_rejects_no_lead_in_a_session_that_has_moved_some() {
    for (alter, body) in [
        (
            "alter table public.leads alter column score type numeric",
            "insert into public.history values (new.id, new.score::text); return null;",
        ),
        (
            "alter table public.leads alter column score type text",
            "insert into public.history values (new.id, new.score::text); return null;",
        ),
        (
            "alter table public.leads drop column score; alter table public.leads add score bigint",
            "insert into public.history values (new.id, public.score_text(new)); return null;",
        ),
        (
            "alter table public.history alter column score type varchar(9)",
            "insert into public.history values (new.id, new.score::text); return null;",
        ),
    ] {
        for as_service in [false, true] {
            let database = Database::new().await;
            let crm = database.crm().await;
            let (run, later) = (crm.run_of(100).await, crm.run_of(250).await);
            database.run(AUDIT).await;
            database
                .on_leads("after update on public.leads for each row", body)
                .await;
            crm.enqueue(run).await;
            let worker = database.open().await;
            let process = async || {
                if as_service {
                    assert_eq!(
                        database.process_as_service(&worker).await,
                        "moved",
                        "{alter}"
                    );
                } else {
                    let batch = process_in(&worker, None).await.unwrap().expect("it is due");
                    assert!(batch.success, "{alter}: {batch:?}");
                }
            };
            process().await;
            crm.all_moved(run).await;

            database.run(alter).await;
            crm.enqueue(later).await;
            while crm.queue_length().await > 0 {
                process().await;
            }

            crm.all_moved(later).await;
            let written = "select count(*) from public.history";
            assert_eq!(database.value::<i64>(written, &[]).await, 350);
        }
    }
}

#[tokio::test]
async fn a_statement_that_a_trigger_prepared_in_one_session_rejects_no_lead() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, later) = (crm.run_of(100).await, crm.run_of(100).await);
    database
        .run("create table public.rules (id integer); insert into public.rules values (1)")
        .await;
    database
        .on_leads(
            "before update on public.leads for each row",
            "if not exists (select from pg_prepared_statements where name = 'rules') then
               execute 'prepare rules as select * from public.rules';
             end if;
             execute 'execute rules'; return new;",
        )
        .await;
    let worker = database.open().await;
    crm.enqueue(run).await;
    process_in(&worker, None).await.unwrap().expect("it is due");
    crm.all_moved(run).await;

    database.run("alter table public.rules add name text").await;
    crm.enqueue(later).await;
    let batch = process_in(&worker, None).await.unwrap().expect("it is due");
    assert!(!batch.success, "{batch:?}");

    // In a session that has no old statement, the move goes on.
    crm.process_to_the_end().await;
    crm.all_moved(later).await;
    assert_eq!(crm.rejected(later).await, []);
}
