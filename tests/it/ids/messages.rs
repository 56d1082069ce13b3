//! Messages that applications send themselves name ids of any type, as numbers or strings.

use serde_json::{Value, json};

use super::recipes::with_ids;
use crate::support::Database;

async fn crm() -> Database {
    let database = with_ids("integer", "bigint", "public.state").await;
    database
        .run(
            "insert into public.runs select n, 'Run ' || n from generate_series(1, 4) n;
             insert into public.columns values ('new', 1), ('won', 2);
             insert into public.leads (run_id, funnel_id, column_id)
               select 1 + n % 4, 1, 'new' from generate_series(1, 40) n",
        )
        .await;
    database
}

async fn send(database: &Database, message: &Value) -> i64 {
    database
        .value(
            "select * from pgmq.send('lead_migration_queue', $1::jsonb)",
            &[message],
        )
        .await
}

async fn process(database: &Database) -> Vec<(bool, String)> {
    let mut batches = Vec::new();
    let call = "select success, error_message from public.process_lead_migration_batch()";
    while let Some(row) = database.session().query_opt(call, &[]).await.unwrap() {
        batches.push((row.get(0), row.get(1)));
    }
    batches
}

#[tokio::test]
async fn ids_are_read_from_numbers_and_strings() {
    let database = crm().await;
    for run in [json!(1), json!("2"), json!(" 3 "), json!(4.0)] {
        send(
            &database,
            &json!({"run_id": run, "funnel_id": "2", "column_id": "won"}),
        )
        .await;
    }

    let batches = process(&database).await;

    assert_eq!(batches.len(), 4, "{batches:?}");
    // Only a whole number without a point is an integer to PostgreSQL.
    assert_eq!(
        batches.iter().filter(|(success, _)| *success).count(),
        3,
        "{batches:?}"
    );
    let there = "select count(*) from public.leads where column_id = 'won' and funnel_id = 2";
    assert_eq!(database.value::<i64>(there, &[]).await, 30);
}

#[tokio::test]
async fn ids_that_are_of_another_type_are_archived_with_the_reason() {
    let database = crm().await;
    let bad = [
        (
            json!({"run_id": "a0000000-0000-4000-8000-000000000001", "funnel_id": 2, "column_id": "won"}),
            "22P02",
        ),
        (
            json!({"run_id": 3_000_000_000_u32, "funnel_id": 2, "column_id": "won"}),
            "22003",
        ),
        (
            json!({"run_id": 1, "funnel_id": 2, "column_id": "no such state"}),
            "22P02",
        ),
        (
            json!({"run_id": 1, "funnel_id": true, "column_id": "won"}),
            "22P02",
        ),
        (
            json!({"run_id": [1], "funnel_id": 2, "column_id": "won"}),
            "22P02",
        ),
        (
            json!({"run_id": 99, "funnel_id": 2, "column_id": "won"}),
            "LM001",
        ),
        (json!({"run_id": 1, "column_id": "won"}), "LM002"),
        (json!({"funnel_id": 2, "column_id": "won"}), "LM001"),
    ];
    for (message, _) in &bad {
        send(&database, message).await;
    }
    let good = json!({"run_id": 1, "funnel_id": 2, "column_id": "won"});
    send(&database, &good).await;

    process(&database).await;

    let reasons: Vec<String> = database
        .value(
            "select array_agg(a.message ->> 'sqlstate' order by a.msg_id) from pgmq.a_lead_migration_queue a
             where a.message ? 'error'",
            &[],
        )
        .await;
    assert_eq!(reasons, bad.map(|(_, sqlstate)| sqlstate));
    let there = "select count(*) from public.leads where column_id = 'won'";
    assert_eq!(database.value::<i64>(there, &[]).await, 10);
}

/// However the id is written in the message.
#[tokio::test]
async fn messages_that_no_batch_has_adopted_are_cancelled_and_paused_by_their_run() {
    let database = crm().await;
    for run in [
        json!(1),
        json!("1"),
        json!("01"),
        json!("x"),
        json!({}),
        json!(2),
    ] {
        send(
            &database,
            &json!({"run_id": run, "funnel_id": 2, "column_id": "won"}),
        )
        .await;
    }

    let cancelled: Value = database
        .value("select public.cancel_lead_migration(1)", &[])
        .await;
    let paused: Value = database
        .value("select public.pause_lead_migration(2)", &[])
        .await;

    assert_eq!(cancelled["cancelled_messages"], 3);
    assert_eq!(cancelled["run_id"], 1);
    assert_eq!(paused["status"], "paused");
    process(&database).await;
    let there = "select count(*) from public.leads where column_id = 'won'";
    assert_eq!(database.value::<i64>(there, &[]).await, 0);
}

#[tokio::test]
async fn a_message_of_a_crm_without_funnels_needs_no_funnel() {
    let database = with_ids("integer", "", "text").await;
    database
        .run(
            "insert into public.runs values (7, 'Padarias'), (8, 'Outra');
             insert into public.columns values ('novo'), ('contato');
             insert into public.leads (run_id, column_id) select 7 + n % 2, 'novo' from generate_series(1, 20) n",
        )
        .await;
    send(&database, &json!({"run_id": 7, "column_id": "contato"})).await;
    send(
        &database,
        &json!({"run_id": 8, "funnel_id": 5, "column_id": "contato"}),
    )
    .await;

    assert!(process(&database).await.iter().all(|(success, _)| *success));

    let there = "select count(*) from public.leads where column_id = 'contato'";
    assert_eq!(database.value::<i64>(there, &[]).await, 20);
}
