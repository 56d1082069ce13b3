//! Row level security, which CRMs on Supabase have on nearly every table: it does not
//! stop moves, and where it would hide leads the move stops with an error.

use serde_json::json;
use tokio_postgres::error::SqlState;

use crate::support::{Batch, Database, Service, enqueue_in, eventually, owner, process_in};

const ALL_TABLES: [&str; 3] = ["leads", "runs", "columns"];

/// Policies that show a signed-in user their own rows, and every other role none.
async fn enable(database: &Database) {
    for table in ALL_TABLES {
        database
            .run(&format!(
                "alter table public.{table} enable row level security;
                 create policy own on public.{table} to authenticated
                   using (id::text = current_setting('request.jwt.claim.sub', true))"
            ))
            .await;
    }
}

#[tokio::test]
async fn the_owner_of_tables_with_policies_moves_all_leads_whatever_the_callers_role() {
    let database = Database::of_owner().await;
    enable(&database).await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    database
        .run(
            "grant all on public.leads to authenticated;
             select lead_mover.open_to('authenticated', array['queue', 'process'], p_all_runs => true)",
        )
        .await;
    let user = database.open_in_role("authenticated").await;

    let answer = enqueue_in(&user, run, crm.target, None).await.unwrap();

    assert_eq!(answer["total"], 250);
    while let Some(batch) = process_in(&user, None).await.unwrap() {
        assert!(batch.success, "{batch:?}");
    }
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    let seen = user.query("select from public.leads", &[]).await.unwrap();
    assert_eq!(seen.len(), 0, "the user's own privileges are as they were");
}

#[tokio::test]
async fn rows_that_policies_hide_from_the_owner_are_an_error_and_do_not_count_as_moved() {
    for table in ALL_TABLES {
        let database = Database::of_owner().await;
        enable(&database).await;
        let crm = database.crm().await;
        let run = crm.run_of(3).await;
        let force = format!("alter table public.{table} force row level security");
        database.run(&force).await;

        let error = crm
            .try_enqueue(run, crm.target, None)
            .await
            .expect_err(table);

        assert_eq!(*error.code(), SqlState::INSUFFICIENT_PRIVILEGE, "{error:?}");
        let expected =
            format!("query would be affected by row-level security policy for table \"{table}\"");
        assert_eq!(error.message(), expected);
        assert_eq!(crm.queue_length().await, 0);
    }
}

/// An application's own message is kept until the policies are fixed.
#[tokio::test]
async fn a_message_is_not_archived_for_rows_that_policies_hide() {
    let database = Database::of_owner().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    enable(&database).await;
    database
        .run("alter table public.runs force row level security")
        .await;
    crm.send(&json!({
        "run_id": run, "funnel_id": crm.target.funnel, "column_id": crm.target.column
    }))
    .await;

    let batch = crm.process().await.expect("it is due");

    assert!(!batch.success && batch.error_message.contains("row-level security"));
    database
        .run("alter table public.runs no force row level security")
        .await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn policies_that_come_while_leads_are_moved_delay_the_move_and_do_not_end_it() {
    for table in ["leads", "columns"] {
        let database = Database::of_owner().await;
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        crm.enqueue(run).await;
        crm.process().await;
        enable(&database).await;
        let force = format!("alter table public.{table} force row level security");
        database.run(&force).await;

        for _ in 0..3 {
            let error = process_in(database.session(), None).await.expect_err(table);
            assert_eq!(*error.code(), SqlState::INSUFFICIENT_PRIVILEGE, "{error:?}");
        }

        assert_eq!(crm.status(run).await, "processing");
        crm.check().await;
        database
            .run(&format!(
                "alter table public.{table} no force row level security"
            ))
            .await;
        let batches: Vec<Batch> = crm.process_all().await;
        assert_eq!(
            batches.iter().map(|batch| batch.leads_moved).sum::<i32>(),
            150
        );
        assert_eq!(crm.status(run).await, "completed");
        assert_eq!(crm.leads_at(run, crm.target).await, 250);
    }
}

#[tokio::test]
async fn a_service_that_policies_stop_reports_it_and_goes_on_when_they_are_fixed() {
    let database = Database::of_owner().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    crm.enqueue(run).await;
    enable(&database).await;
    database
        .run("alter table public.leads force row level security")
        .await;

    // With one worker, as another would find the message held, and the database reached, for a moment.
    let service = Service::start_unready(&database.connection_string(), &["--workers", "1"]).await;

    eventually("/readyz reports the error", async || {
        service.log().iter().any(|line| {
            let error = line["error"].as_str().unwrap_or_default();
            error.contains("row-level security policy for table \"leads\"")
        })
    })
    .await;
    assert_eq!(service.readyz().await.0, 503);
    database
        .run("alter table public.leads no force row level security")
        .await;
    service.ready().await;
    crm.completed(run).await;
    crm.check().await;
}

/// The rights that count are those of the views' owner, and with `security_invoker` those of the
/// functions' owner.
#[tokio::test]
async fn whose_policies_count_is_decided_by_the_mapping_views() {
    let owner = owner();
    for (views, sees_all) in [
        (
            "alter view lead_mover.leads owner to lead_mover_stranger",
            true,
        ),
        ("", false),
        ("alter view lead_mover.leads set (security_invoker)", false),
        (
            "alter view lead_mover.leads owner to lead_mover_stranger;
             alter view lead_mover.leads set (security_invoker)",
            false,
        ),
    ] {
        let database = Database::of_owner().await;
        if views.contains("security_invoker") && !database.has_invoker_views().await {
            continue;
        }
        let crm = database.crm().await;
        let run = crm.run_of(150).await;
        // The CRM's tables belong to another role; the owner of the functions may read and write them.
        database
            .run(&format!(
                "alter table public.leads owner to lead_mover_stranger;
                 grant select, update on public.leads to {owner};
                 alter table public.leads enable row level security;
                 {views};
                 grant select, update on lead_mover.leads to {owner}"
            ))
            .await;

        let queued = crm.try_enqueue(run, crm.target, None).await;

        if sees_all {
            assert_eq!(queued.expect(views)["total"], 150, "{views}");
            crm.process_all().await;
            assert_eq!(crm.leads_at(run, crm.target).await, 150);
        } else {
            let error = queued.expect_err(views);
            assert_eq!(*error.code(), SqlState::INSUFFICIENT_PRIVILEGE, "{views}");
        }
    }
}

/// A trigger of the CRM writes to a table that has policies, with the privileges of the trigger's owner.
#[tokio::test]
async fn policies_bind_the_triggers_of_the_crm_as_they_always_do() {
    let database = Database::of_owner().await;
    database
        .run(
            "create table public.history (lead_id uuid, seen boolean default true);
             grant insert, select on public.history to lead_mover_stranger;
             grant create on schema public to lead_mover_stranger;
             alter table public.history enable row level security;
             create policy all_of_it on public.history to lead_mover_stranger using (true);
             create function public.note_history() returns trigger language plpgsql security definer as
             $$ begin insert into public.history select new.id from (select count(*) from public.history) as x; return null; end $$;
             alter function public.note_history() owner to lead_mover_stranger;
             create trigger note_history after update on public.leads
             for each row execute function public.note_history()",
        )
        .await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    let noted: i64 = database
        .value("select count(*) from public.history", &[])
        .await;
    assert_eq!(noted, 150);
}
