//! The functions have the types of the mapping's ids, one function of each name.

use serde_json::{Value, json};

use super::recipes::{tables, with_ids};
use crate::support::Database;

/// The signatures of the functions that take or return ids.
async fn signatures(database: &Database) -> Vec<String> {
    database
        .value(
            "select array_agg(pg_get_function_identity_arguments(p.oid) || ' -> ' || pg_get_function_result(p.oid)
               order by p.proname)
             from pg_proc p
             where p.pronamespace = 'public'::regnamespace
               and p.proname in ('queue_lead_migration', 'cancel_lead_migration', 'process_lead_migration_batch')",
            &[],
        )
        .await
}

const BATCH: &str = "run_name text, leads_moved integer, leads_remaining bigint, success boolean, error_message text)";

#[tokio::test]
async fn the_functions_take_and_return_the_types_of_the_lead_view() {
    for ([run, funnel, column], [as_run, as_funnel, as_column]) in [
        (["uuid"; 3], ["uuid"; 3]),
        (["integer"; 3], ["integer"; 3]),
        (["integer", "text", "bigint"], ["integer", "text", "bigint"]),
        (
            ["varchar(17)", "char(4)", "public.state"],
            ["character varying", "character", "state"],
        ),
        (
            ["public.code", "smallint", "numeric(9, 0)"],
            ["text", "smallint", "numeric"],
        ),
        (["date", "", "text"], ["date", "text", "text"]),
    ] {
        let database = with_ids(run, funnel, column).await;
        assert_eq!(
            signatures(&database).await,
            [
                format!("p_run_id {as_run} -> jsonb"),
                format!(
                    "p_batch_size integer -> TABLE(message_id bigint, run_id {as_run}, {BATCH}"
                ),
                format!(
                    "p_run_id {as_run}, p_funnel_id {as_funnel}, p_column_id {as_column}, p_batch_size integer -> jsonb"
                ),
            ]
        );
        let overloads = "select count(*) from pg_proc p where p.proname like '%lead_migration%'
             group by p.proname having count(*) > 1";
        assert!(
            database
                .session()
                .query(overloads, &[])
                .await
                .unwrap()
                .is_empty()
        );
        database.doctor_report().await.assert_all_pass();
    }
}

/// The move's JSON and its message.
#[tokio::test]
async fn numbers_are_numbers_in_json_and_other_ids_are_strings() {
    for (run, funnel, column, ids, expected) in [
        (
            "integer",
            "bigint",
            "smallint",
            "7, 1, '3'",
            json!([7, 1, 3]),
        ),
        (
            "text",
            "varchar(9)",
            "public.state",
            "'7', '1', 'new'",
            json!(["7", "1", "new"]),
        ),
        (
            "numeric",
            "",
            "text",
            "7.50, null, '3'",
            json!([7.5, null, "3"]),
        ),
    ] {
        let database = with_ids(run, funnel, column).await;
        let with_funnel = if funnel.is_empty() {
            "run_id, column_id"
        } else {
            "run_id, funnel_id, column_id"
        };
        let [run_id, funnel_id, column_id]: [&str; 3] =
            ids.split(", ").collect::<Vec<_>>().try_into().unwrap();
        let placed = if funnel.is_empty() {
            format!("{run_id}, null")
        } else {
            format!("{run_id}, null, null")
        };
        let columns = if funnel.is_empty() {
            column_id.to_owned()
        } else {
            format!("{column_id}, {funnel_id}")
        };
        database
            .run(&format!(
                "insert into public.runs values ({run_id}, 'Padarias');
                 insert into public.columns values ({columns});
                 insert into public.leads ({with_funnel}) values ({placed})"
            ))
            .await;

        let queued: Value = database
            .value(&format!("select public.queue_lead_migration({ids})"), &[])
            .await;
        let message: Value = database
            .value("select message from pgmq.q_lead_migration_queue", &[])
            .await;
        let paused: Value = database
            .value(
                &format!("select public.pause_lead_migration({run_id})"),
                &[],
            )
            .await;

        for answer in [&queued, &message] {
            let of_it = json!([answer["run_id"], answer["funnel_id"], answer["column_id"]]);
            assert_eq!(of_it, expected);
        }
        assert_eq!(paused["run_id"], expected[0]);
        assert_eq!(queued["total"], 1);
    }
}

/// A column of no funnel is a target too, where the view says so.
#[tokio::test]
async fn a_column_without_a_funnel_is_reached_by_null() {
    let database = with_ids("integer", "integer", "integer").await;
    database
        .run(
            "insert into public.runs values (7, 'Padarias');
             insert into public.columns values (3, null), (4, 1);
             insert into public.leads (run_id, funnel_id, column_id) select 7, 1, 4 from generate_series(1, 10)",
        )
        .await;

    let call = "select public.queue_lead_migration(7, 1, 3)";
    let error = database
        .session()
        .query(call, &[])
        .await
        .expect_err("not of that funnel");
    assert_eq!(
        error.code().map(|code| code.code().to_owned()),
        Some("LM002".to_owned())
    );
    database
        .run("select public.queue_lead_migration(7, null, 3)")
        .await;
    database
        .run("select * from public.process_lead_migration_batch()")
        .await;

    let there: i64 = database
        .value(
            "select count(*) from public.leads where column_id = 3 and funnel_id is null",
            &[],
        )
        .await;
    assert_eq!(there, 10);
}

#[tokio::test]
async fn without_funnels_the_funnel_of_a_call_does_not_count() {
    let database = with_ids("integer", "", "integer").await;
    database
        .run(
            "insert into public.runs values (7, 'Padarias');
             insert into public.columns values (3), (4);
             insert into public.leads (run_id, column_id) select 7, 3 from generate_series(1, 10)",
        )
        .await;
    let queue = async |funnel: &str| -> Value {
        let call = format!("select public.queue_lead_migration(7, {funnel}, 4)");
        database.value(&call, &[]).await
    };

    let first = queue("'a funnel'").await;
    let again = queue("null").await;

    assert_eq!(first["migration_id"], again["migration_id"]);
    assert_eq!(first["funnel_id"], Value::Null);
    let error = database
        .session()
        .query("select public.queue_lead_migration(7, null, 5)", &[])
        .await
        .expect_err("there is no such column");
    let error = error.as_db_error().unwrap();
    assert_eq!(error.message(), "Coluna 5 não encontrada");
    assert!(!error.hint().unwrap().contains("funil"));
    let error = database
        .session()
        .query("select public.queue_lead_migration(7, null, 3)", &[])
        .await
        .expect_err("it has another target");
    assert_eq!(
        error.as_db_error().unwrap().hint(),
        Some("Cancele-a primeiro: select cancel_lead_migration('7'). Destino atual: coluna 4.")
    );
    database
        .run("delete from public.columns where id = 4")
        .await;
    let failed: String = database
        .value(
            "select error_message from public.process_lead_migration_batch()",
            &[],
        )
        .await;
    assert_eq!(failed, "A coluna de destino 4 não existe mais");
}

#[tokio::test]
async fn the_printed_script_takes_the_types_too() {
    let database = Database::without_lead_mover().await;
    database
        .run("drop table public.leads, public.runs, public.columns, public.funnels")
        .await;
    database.run(&tables("integer", "", "text")).await;

    database.run_print().await;

    assert_eq!(
        signatures(&database).await[2],
        "p_run_id integer, p_funnel_id text, p_column_id text, p_batch_size integer -> jsonb"
    );
    database.doctor_report().await.assert_all_pass();
}
