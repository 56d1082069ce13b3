//! Whatever a trigger raises is recorded with a delay, and holds up no other move.

use crate::support::{Database, is_local};

/// One lead of 300 raises that. The batch fails, another move goes on, and in the end only that lead is left.
async fn one_lead_raises(when: &str, raise: &str, sqlstate: &str) {
    one_lead_raises_in(&Database::new().await, when, raise, sqlstate).await;
}

async fn one_lead_raises_in(database: &Database, when: &str, raise: &str, sqlstate: &str) {
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(300).await, crm.run_of(50).await);
    let lead = crm.lead_ids(run).await[49];
    let body = format!("if new.id = '{lead}' then {raise}; end if; return new;");
    database.on_leads(when, &body).await;
    crm.enqueue(run).await;

    crm.process().await.expect("it is recorded, not raised");
    crm.enqueue(other).await;
    crm.process_all().await;

    assert_eq!(crm.status(other).await, "completed", "{raise}");
    crm.process_to_the_end().await;
    crm.all_moved_but(run, lead, sqlstate).await;
}

const BEFORE: &str = "before update on public.leads for each row";
const AFTER: &str = "after update on public.leads for each row";
const DEFERRED: &str = "after update on public.leads deferrable initially deferred for each row";

#[tokio::test]
async fn a_time_out_of_another_server_is_recorded() {
    for when in [BEFORE, AFTER, DEFERRED] {
        let raise = "raise exception 'canceling statement due to statement timeout' using errcode = '57014'";
        one_lead_raises(when, raise, "57014").await;
    }
}

#[tokio::test]
async fn a_trigger_that_reports_a_cancelled_query_is_no_cancel() {
    for when in [BEFORE, AFTER, DEFERRED] {
        let raise =
            "raise exception 'canceling statement due to user request' using errcode = '57014'";
        one_lead_raises(when, raise, "57014").await;
        one_lead_raises(when, "raise query_canceled", "57014").await;
    }
}

#[tokio::test]
async fn a_failed_assertion_is_recorded() {
    for when in [BEFORE, AFTER, DEFERRED] {
        one_lead_raises(when, "assert new.name = 'nobody'", "P0004").await;
    }
}

#[tokio::test]
async fn errors_of_the_server_within_a_trigger_are_recorded() {
    for (raise, sqlstate) in [
        ("perform 1 / (new.name = 'nobody')::integer", "22012"),
        ("perform * from public.nowhere", "42P01"),
        ("set constraints nowhere immediate", "42704"),
        ("raise exception 'ours' using errcode = 'LM0RB'", "LM0RB"),
        ("raise exception 'ours' using errcode = 'LM004'", "LM004"),
    ] {
        for when in [AFTER, DEFERRED] {
            one_lead_raises(when, raise, sqlstate).await;
        }
    }
}

/// What `dblink` and `postgres_fdw` hand on has the text of a cancel of this session.
#[tokio::test]
async fn a_cancel_of_another_session_is_recorded() {
    if !is_local() {
        return; // The server would need a password to connect to itself.
    }
    for (install, raise) in [
        (
            "create extension dblink",
            "perform * from public.dblink('CONNECTION', 'select pg_cancel_backend(pg_backend_pid())') as t (done boolean)",
        ),
        (
            "create extension dblink",
            "perform public.dblink_disconnect(c.name) from unnest(public.dblink_get_connections()) as c (name);
             perform public.dblink_connect('other', 'CONNECTION');
             perform public.dblink_exec('other', 'do $o$ begin perform pg_cancel_backend(pg_backend_pid()); end $o$')",
        ),
        (
            "create extension postgres_fdw;
             create view public.cancelled as select pg_cancel_backend(pg_backend_pid()) as done;
             create server other foreign data wrapper postgres_fdw options (OPTIONS);
             create user mapping for current_user server other;
             create foreign table public.remote (done boolean) server other options (table_name 'cancelled')",
            "perform * from public.remote",
        ),
    ] {
        let database = Database::new().await;
        let address: Vec<String> = database
            .value("select array[current_setting('unix_socket_directories'), current_setting('port')]", &[])
            .await;
        let account: Vec<String> = database
            .value("select array[current_user, current_database()]::text[]", &[])
            .await;
        let ([host, port], [user, name]) = (&address[..], &account[..]) else {
            unreachable!()
        };
        let connection = format!("host={host} port={port} user={user} dbname={name}");
        let options = format!("host '{host}', port '{port}', dbname '{name}'");
        database.run(&install.replace("OPTIONS", &options)).await;

        let raise = raise.replace("CONNECTION", &connection);
        one_lead_raises_in(&database, BEFORE, &raise, "57014").await;
    }
}

#[tokio::test]
async fn the_service_records_whatever_a_trigger_raises() {
    for (when, raise, sqlstate) in [
        (BEFORE, "raise query_canceled", "57014"),
        (DEFERRED, "assert false", "P0004"),
        (
            DEFERRED,
            "raise exception 'ours' using errcode = 'LM0RB'",
            "LM0RB",
        ),
    ] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let (run, other) = (crm.run_of(300).await, crm.run_of(50).await);
        let lead = crm.lead_ids(run).await[49];
        let body = format!("if new.id = '{lead}' then {raise}; end if; return new;");
        database.on_leads(when, &body).await;
        crm.enqueue(run).await;
        let session = database.session();

        database.process_as_service(session).await;
        crm.enqueue(other).await;
        while database.process_as_service(session).await != "idle" {}

        assert_eq!(crm.status(other).await, "completed", "{raise}");
        while crm.queue_length().await > 0 {
            crm.make_due().await;
            database.process_as_service(session).await;
        }
        crm.all_moved_but(run, lead, sqlstate).await;
    }
}
