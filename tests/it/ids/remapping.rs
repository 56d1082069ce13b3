//! The views are mapped to other tables, whose ids have other types.

use serde_json::Value;

use super::recipes::{tables, with_ids};
use crate::support::{Database, Service, eventually};

/// Two runs of 30 leads, and two columns, with ids that every type here can have.
pub(super) const FILLED: &str = "
  insert into public.runs values ('7', 'Padarias'), ('8', 'Outra');
  insert into public.columns (id, funnel_id) values ('3', '1'), ('4', '2');
  insert into public.leads (run_id, funnel_id, column_id)
    select r.id, c.funnel_id, c.id from public.runs r, public.columns c, generate_series(1, 30) where c.id = '3'";

pub(super) const DROPPED: &str = "
  drop view lead_mover.leads, lead_mover.runs, lead_mover.columns;
  drop table public.leads, public.columns, public.runs;";

async fn queue(database: &Database, run: &str) -> Value {
    database
        .value(
            &format!("select public.queue_lead_migration('{run}', '2', '4')"),
            &[],
        )
        .await
}

async fn drain(database: &Database) {
    let call = "select success from public.process_lead_migration_batch()";
    while let Some(row) = database.session().query_opt(call, &[]).await.unwrap() {
        assert!(row.get::<_, bool>(0));
    }
}

async fn there(database: &Database) -> i64 {
    let query = "select count(*) from public.leads where column_id::text = '4'";
    database.value(query, &[]).await
}

/// In the session that has worked with the old ones.
#[tokio::test]
async fn migrate_gives_ledger_and_functions_the_new_types() {
    let types = [
        ["integer", "integer", "integer"],
        ["text", "bigint", "varchar(8)"],
        ["bigint", "text", "integer"],
        ["varchar(3)", "varchar(4)", "varchar(5)"],
        [
            "text collate \"C\"",
            "text collate \"C\"",
            "text collate \"C\"",
        ],
    ];
    let [run, funnel, column] = types[0];
    let database = with_ids(run, funnel, column).await;
    database.run(FILLED).await;
    queue(&database, "7").await;
    drain(&database).await;
    for (before, [run, funnel, column]) in (1..).zip(types.into_iter().skip(1)) {
        database
            .run(&format!(
                "{DROPPED} {}; {FILLED}",
                tables(run, funnel, column)
            ))
            .await;

        let migrated = database.migrate(&[]).await;

        assert_eq!(migrated.status, Some(0), "{migrated:?}");
        database.doctor_report().await.assert_all_pass();
        assert_eq!(queue(&database, "7").await["total"], 30, "{run}");
        drain(&database).await;
        assert_eq!(there(&database).await, 30, "{run}");
        let moves: i64 = database
            .value(
                "select count(*) from public.get_lead_migration_progress('7')",
                &[],
            )
            .await;
        assert_eq!(moves, before + 1, "the finished moves keep their runs");
        let again = database.migrate(&[]).await;
        assert!(
            again.stdout.ends_with(": the schema is current\n"),
            "{again:?}"
        );
        assert!(!again.stdout.contains("applied"), "{again:?}");
    }
}

#[tokio::test]
async fn the_last_of_the_funnels_may_go_and_come_back() {
    let database = with_ids("integer", "integer", "integer").await;
    database.run(FILLED).await;
    for funnel in ["", "integer"] {
        let views = if funnel.is_empty() {
            "id, run_id, column_id"
        } else {
            "id, run_id, column_id, funnel_id"
        };
        let columns = if funnel.is_empty() {
            "id"
        } else {
            "id, funnel_id"
        };
        database
            .run(&format!(
                "drop view lead_mover.leads, lead_mover.columns;
                 create view lead_mover.leads as select {views} from public.leads;
                 create view lead_mover.columns as select {columns} from public.columns;
                 update public.leads set column_id = 3, funnel_id = 1"
            ))
            .await;
        let migrated = database.migrate(&[]).await;
        assert_eq!(migrated.status, Some(0), "{migrated:?}");

        queue(&database, "7").await;
        drain(&database).await;

        assert_eq!(there(&database).await, 30);
        let in_funnel = "select count(*) from public.leads where funnel_id = 2";
        let expected = if funnel.is_empty() { 0 } else { 30 };
        assert_eq!(database.value::<i64>(in_funnel, &[]).await, expected);
        database.doctor_report().await.assert_all_pass();
    }
}

#[tokio::test]
async fn ids_of_finished_moves_that_the_new_type_cannot_take_become_null() {
    let database = with_ids("text", "text", "text").await;
    database.run(FILLED).await;
    database
        .run(
            "insert into public.runs values ('R', 'Runs are letters here');
             insert into public.leads (run_id, funnel_id, column_id) values ('R', '1', '3')",
        )
        .await;
    queue(&database, "7").await;
    queue(&database, "R").await;
    drain(&database).await;
    database
        .run(&format!(
            "{DROPPED} {}; {FILLED}",
            tables("integer", "integer", "integer")
        ))
        .await;

    let migrated = database.migrate(&[]).await;

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    let runs: Vec<Option<i32>> = database
        .value(
            "select array_agg(p.run_id) from public.get_lead_migration_progress() p",
            &[],
        )
        .await;
    assert_eq!(runs, [None, Some(7)]);
    let counted: i64 = database
        .value(
            "select sum(moves)::bigint from lead_mover.finished_counts",
            &[],
        )
        .await;
    assert_eq!(counted, 2);
}

#[tokio::test]
async fn an_active_move_keeps_its_types_until_it_is_cancelled() {
    let database = with_ids("integer", "integer", "integer").await;
    database.run(FILLED).await;
    queue(&database, "7").await;
    database
        .run(
            &format!(
                "{DROPPED} {}; {FILLED}",
                tables("uuid_text", "integer", "integer")
            )
            .replace("uuid_text", "text"),
        )
        .await;

    let failed = database.migrate(&[]).await;

    assert_eq!(failed.status, Some(1));
    for part in [
        "lead_mover.leads.run_id is of type text now, it was integer",
        "hint: Cancel the active moves",
    ] {
        assert!(failed.stderr.contains(part), "{failed:?}");
    }
    let report = database.doctor_report().await;
    report.assert_failure("mapping", "run: lead-mover migrate");
    assert_eq!(
        report.check("mapping").1,
        "lead_mover.moves.run_id is not of the type and collation of lead_mover.leads.run_id, text"
    );
    let cancelled: Value = database
        .value("select public.cancel_lead_migration(7)", &[])
        .await;
    assert_eq!(cancelled["cancelled_messages"], 1);
    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    queue(&database, "7").await;
    drain(&database).await;
    assert_eq!(there(&database).await, 30);
}

/// Also where the keys of the leads change with them.
#[tokio::test]
async fn a_service_that_runs_meanwhile_moves_leads_before_and_after() {
    let database = with_ids("integer", "integer", "integer").await;
    database.run(FILLED).await;
    let service = Service::start(&database, &[]).await;
    queue(&database, "7").await;
    eventually("the first run is moved", async || {
        there(&database).await == 30
    })
    .await;
    eventually("its move has ended", async || {
        let active = "select count(*) from lead_mover.moves where finished_at is null";
        database.value::<i64>(active, &[]).await == 0
    })
    .await;
    database
        .run(&format!(
            "{DROPPED} {}; {FILLED}",
            tables("text", "bigint", "varchar(9)").replace(
                "id bigint generated always as identity",
                "id uuid default gen_random_uuid()"
            )
        ))
        .await;

    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    queue(&database, "8").await;

    eventually("the second run is moved", async || {
        there(&database).await == 30
    })
    .await;
    drop(service);
}
