//! The settings of the sessions that move leads.

use crate::support::{Database, Service, eventually};

/// The time-outs that a batch of the service runs with, but for `lock_timeout`, which the functions set
/// themselves,, when it connects with that connection string.
async fn settings_of_a_batch(database: &Database, options: &str) -> Vec<String> {
    let crm = database.crm().await;
    let run = crm.run_of(1).await;
    database
        .run(
            "create table public.seen (value text);
             create function public.look() returns trigger language plpgsql as $$
             begin
               insert into public.seen
               select setting || coalesce(unit, '')
               from pg_catalog.pg_settings
               where name in (
                 'statement_timeout', 'idle_in_transaction_session_timeout', 'client_connection_check_interval'
               );
               return null;
             end $$;
             create trigger look after update on public.leads
             for each statement execute function public.look()",
        )
        .await;
    let url = format!("{}{options}", database.connection_string());
    let service = Service::start_unready(&url, &["--poll-interval", "1h"]).await;
    service.ready().await;
    crm.enqueue(run).await;
    eventually("the lead is moved", async || {
        crm.leads_at(run, crm.target).await == 1
    })
    .await;
    database
        .value(
            "select array_agg(value order by value) from public.seen",
            &[],
        )
        .await
}

#[tokio::test]
async fn the_service_sets_time_outs_of_its_own() {
    let database = Database::new().await;

    assert_eq!(
        settings_of_a_batch(&database, "").await,
        ["30000ms", "5000ms", "60000ms"]
    );
}

#[tokio::test]
async fn what_the_connection_string_says_wins() {
    let database = Database::new().await;

    assert_eq!(
        settings_of_a_batch(&database, " options='-c statement_timeout=7s'").await,
        ["30000ms", "5000ms", "7000ms"]
    );
}
