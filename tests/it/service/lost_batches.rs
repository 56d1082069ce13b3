//! Batches that fail where the database cannot record it: at the commit, or by taking their session with them.
//! Other moves go on, and the failure is recorded as an attempt.

use crate::support::{Crm, Database, Service, eventually};

const ONE_WORKER: [&str; 4] = ["--poll-interval", "1h", "--workers", "1"];

/// Queues a run that fails and then another; waits until the other is moved and the failure is recorded.
async fn assert_the_others_go_on(database: &Database, crm: &Crm<'_>, failure: &str) {
    let (failing, other) = (crm.run_of(3).await, crm.run_of(3).await);
    let lead = crm.lead_ids(failing).await[1];
    database
        .run(&format!("insert into public.failing values ('{lead}')"))
        .await;
    let service = Service::start(database, &ONE_WORKER).await;

    crm.enqueue(failing).await;
    crm.enqueue(other).await;

    crm.completed(other).await;
    eventually("the failure is recorded", async || {
        crm.progress(failing).await.get::<_, i32>("attempts") > 0
    })
    .await;
    let error: String = crm.progress(failing).await.get("last_error");
    assert!(error.contains(failure), "{error}");
    service.ready().await;

    // Once the cause is gone, the move goes on by itself.
    database.run("truncate public.failing").await;
    crm.make_due().await;
    database.run("notify lead_migration_queue").await;
    crm.completed(failing).await;
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn a_trigger_that_ends_its_session_holds_up_no_other_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database
        .run(
            "create table public.failing (id uuid);
             create function public.end_session() returns trigger language plpgsql as $$ begin
               if exists (select from public.failing f where f.id = new.id) then
                 perform pg_terminate_backend(pg_backend_pid());
                 perform pg_sleep(10);
               end if;
               return new;
             end $$;
             create trigger end_session before update on public.leads
             for each row execute function public.end_session()",
        )
        .await;

    assert_the_others_go_on(&database, &crm, "terminating connection").await;
}

/// The trigger defers its constraint again, so that the batch cannot see its error before the commit.
#[tokio::test]
async fn an_error_at_the_commit_holds_up_no_other_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database
        .run(
            "create table public.failing (id uuid);
             create table public.audit (id uuid);
             create function public.fail_late() returns trigger language plpgsql as $$ begin
               raise exception 'only at the commit' using errcode = '23514';
             end $$;
             create constraint trigger fail_late after insert on public.audit
             deferrable initially deferred for each row execute function public.fail_late();
             create function public.write_audit() returns trigger language plpgsql as $$ begin
               if exists (select from public.failing f where f.id = new.id) then
                 set constraints all deferred;
                 insert into public.audit values (new.id);
               end if;
               return null;
             end $$;
             create constraint trigger write_audit after update on public.leads
             deferrable initially deferred for each row execute function public.write_audit()",
        )
        .await;

    assert_the_others_go_on(&database, &crm, "only at the commit").await;
}
