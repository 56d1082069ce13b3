//! The queries of the dashboards to PostgreSQL, run as the role that Grafana has.

use std::collections::BTreeSet;

use tokio_postgres::Row;

use super::{dashboards_of, list, text};
use crate::controls::retry::failed_move;
use crate::support::{Crm, Database, Session, grafana};

/// What is chosen at the top of the dashboard.
struct Choice<'a> {
    statuses: &'a [&'a str],
    run: &'a str,
    migration: &'a str,
}

const EVERYTHING: [&str; 7] = [
    "pending",
    "processing",
    "paused",
    "completed",
    "completed_with_errors",
    "cancelled",
    "failed",
];

/// A string as Grafana's `:sqlstring` writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The SQL as Grafana sends it.
fn expanded(sql: &str, choice: &Choice<'_>) -> String {
    let statuses: Vec<String> = choice.statuses.iter().map(|it| quoted(it)).collect();
    let mut sql = sql
        .replace("${status:sqlstring}", &statuses.join(","))
        .replace("${run:sqlstring}", &quoted(choice.run))
        .replace("${move:sqlstring}", &quoted(choice.migration));
    while let Some(start) = sql.find("$__") {
        let (name, rest) = sql[start..].split_once('(').expect("a macro");
        let (argument, after) = rest.split_once(')').expect("it is closed");
        let instead = match name {
            "$__timeFilter" => format!(
                "{argument} between now() - interval '1 hour' and now() + interval '1 hour'"
            ),
            "$__timeGroupAlias" => {
                let column = argument.strip_suffix(", '1h'").expect("by the hour");
                format!("floor(extract(epoch from {column}) / 3600) * 3600 as \"time\"")
            }
            other => panic!("{other}: this test does not know the macro"),
        };
        sql = format!("{}{instead}{after}", &sql[..start]);
    }
    assert!(
        !sql.contains('$'),
        "this test does not know a variable in: {sql}"
    );
    sql
}

async fn ask(session: &Session, sql: &str, choice: &Choice<'_>) -> Vec<Row> {
    let sql = expanded(sql, choice);
    let answer = session.query(&sql, &[]).await;
    answer.unwrap_or_else(|error| panic!("{}: {sql}", pg_connection::describe(&error)))
}

/// A database whose ledger has a move in every status but `cancelled`, and a session of Grafana's role.
async fn with_moves(database: &Database) -> Session {
    let crm = database.crm().await;
    failed_move(database, &crm).await;
    let completed = crm.run_of(10).await;
    crm.enqueue(completed).await;
    crm.process_to_the_end().await;
    with_rejections(database, &crm).await;
    let [paused, processing, pending] = [
        crm.run_of(250).await,
        crm.run_of(250).await,
        crm.run_of(5).await,
    ];
    crm.enqueue(paused).await;
    crm.control("pause_lead_migration", paused).await;
    crm.enqueue(processing).await;
    crm.process().await;
    crm.enqueue(pending).await;
    database.grant_reading_rights(&grafana()).await;
    database.log_in(&grafana()).await
}

async fn with_rejections(database: &Database, crm: &Crm<'_>) {
    let run = crm.run_of(20).await;
    database
        .run(&format!(
            "alter table public.leads add constraint three_stay check (
               run_id <> '{run}' or column_id <> '{column}' or name not in ('Lead 3', 'Lead 7', 'Lead 9')
             );
             update public.runs set name = 'L''Épicerie 100 %' where id = '{run}'",
            column = crm.target.column
        ))
        .await;
    crm.enqueue(run).await;
    crm.process_to_the_end().await;
    assert_eq!(crm.status(run).await, "completed_with_errors");
}

/// The id of the move that has rejections, as the dashboard's variable offers it.
async fn offered_move(session: &Session) -> String {
    let dashboard = &dashboards_of("grafana-postgresql-datasource")[0];
    let choice = Choice {
        statuses: &EVERYTHING,
        run: "",
        migration: "",
    };
    let offered = ask(session, text(&dashboard.variable("move")["query"]), &choice).await;
    assert_eq!(offered.len(), 1);
    let label: &str = offered[0].get("__text");
    assert!(label.ends_with(" – L'Épicerie 100 %"), "{label}");
    offered[0].get("__value")
}

#[tokio::test]
async fn each_panel_has_rows_for_the_role_that_grafana_has() {
    let database = Database::new().await;
    let session = with_moves(&database).await;
    let migration = offered_move(&session).await;
    let choice = Choice {
        statuses: &EVERYTHING,
        run: "",
        migration: &migration,
    };

    let mut panels = 0;
    for dashboard in dashboards_of("grafana-postgresql-datasource") {
        for panel in dashboard.showing_panels() {
            let mut columns = BTreeSet::new();
            for target in list(&panel["targets"]) {
                let rows = ask(&session, text(&target["rawSql"]), &choice).await;
                assert!(!rows.is_empty(), "{}", panel["title"]);
                assert!(
                    panel["type"] != "stat" || rows.len() == 1,
                    "{}",
                    panel["title"]
                );
                let names = rows[0].columns().iter().map(|it| it.name().to_owned());
                columns.extend(names);
                panels += 1;
            }
            for rule in list(&panel["fieldConfig"]["overrides"]) {
                let name = text(&rule["matcher"]["options"]);
                assert!(columns.contains(name), "{}: {name}", panel["title"]);
            }
        }
    }
    assert!(panels >= 11, "only {panels}");
}

#[tokio::test]
async fn moves_are_filtered_by_status_and_by_what_the_run_is_called() {
    let database = Database::new().await;
    let session = with_moves(&database).await;
    let dashboards = dashboards_of("grafana-postgresql-datasource");
    let (_, target) = *dashboards[0]
        .targets()
        .iter()
        .find(|(title, _)| *title == "Moves")
        .expect("the table");
    let sql = text(&target["rawSql"]);

    for (statuses, run, expected) in [
        (&EVERYTHING[..], "", 6),
        (&["failed"][..], "", 1),
        (&["paused", "processing"][..], "", 2),
        (&["cancelled"][..], "", 0),
        (&EVERYTHING[..], "l'Épicerie", 1),
        (&["failed"][..], "l'Épicerie", 0),
    ] {
        let choice = Choice {
            statuses,
            run,
            migration: "",
        };
        let rows = ask(&session, sql, &choice).await;
        assert_eq!(rows.len(), expected, "{statuses:?} {run:?}");
        for row in rows {
            assert!(statuses.contains(&row.get("Status")));
        }
    }
}

#[tokio::test]
async fn where_no_move_has_rejections_their_panels_are_empty_and_not_wrong() {
    let database = Database::new().await;
    database.grant_reading_rights(&grafana()).await;
    let session = database.log_in(&grafana()).await;
    let choice = Choice {
        statuses: &EVERYTHING,
        run: "",
        migration: "",
    };
    for dashboard in dashboards_of("grafana-postgresql-datasource") {
        for (title, target) in dashboard.targets() {
            let rows = ask(&session, text(&target["rawSql"]), &choice).await;
            assert!(
                rows.is_empty() || !title.starts_with("Rejected leads,"),
                "{title}"
            );
        }
    }
}
