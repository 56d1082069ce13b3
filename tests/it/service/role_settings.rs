//! What a role sets for its sessions changes neither the answers nor what is done.

use serde_json::Value;
use uuid::Uuid;

use crate::moves::user_changes::counts;
use crate::support::{Crm, Database, Service, enqueue_in, eventually, process_in};

const UNUSUAL: [&str; 16] = [
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "standard_conforming_strings = off",
    "escape_string_warning = off",
    "extra_float_digits = -15",
    "transform_null_equals = on",
    "quote_all_identifiers = on",
    "xmloption = document",
    "client_encoding = 'UTF8'",
    "plpgsql.extra_errors = 'all'",
    "plpgsql.variable_conflict = 'use_variable'",
    "row_security = off",
    "idle_in_transaction_session_timeout = '1s'",
    "idle_session_timeout = '1h'",
];

fn assert_utc(time: &Value) {
    let text = time.as_str().expect("a text");
    assert!(
        text.ends_with('Z') && text.len() == "2025-12-10T12:00:00Z".len(),
        "{text}"
    );
    let age = chrono::Utc::now()
        - text
            .parse::<chrono::DateTime<chrono::Utc>>()
            .expect("a time");
    assert!(age.num_seconds().abs() < 60, "{text}");
}

/// All that an application is told of a run of 250 leads on its way, but for ids and times.
async fn answers(database: &Database, crm: &Crm<'_>) -> (Uuid, Vec<String>) {
    let run = crm.run_of(250).await;
    let session = database.open().await;
    let queued = enqueue_in(&session, run, crm.target, None).await.unwrap();
    let batch = process_in(&session, None)
        .await
        .unwrap()
        .expect("it is due");
    let message: Value = crate::support::value(
        &session,
        "select message from pgmq.q_lead_migration_queue",
        &[],
    )
    .await;
    assert_utc(&message["created_at"]);
    assert_utc(&message["progress"]["last_batch_at"]);
    let mut told = vec![batch.error_message];
    for function in ["pause", "resume", "cancel", "retry"] {
        let call = format!("select public.{function}_lead_migration($1)");
        let answer: Value = crate::support::value(&session, &call, &[&run]).await;
        told.push(answer["message"].to_string());
    }
    told.extend([
        queued["message"].to_string(),
        message["progress"]["moved"].to_string(),
        message["batch_size"].to_string(),
    ]);
    let rest: String = crate::support::value(
        &session,
        "select concat_ws(' ', run_name, status, total, moved, remaining, rejected, attempts)
         from public.get_lead_migration_progress($1)",
        &[&run],
    )
    .await;
    told.push(rest);
    (run, told)
}

#[tokio::test]
async fn settings_of_format_and_language_change_no_answer() {
    let (usual, unusual) = (Database::new().await, Database::new().await);
    unusual.set(&UNUSUAL).await;

    let (_, told) = answers(&usual, &usual.crm().await).await;
    let (_, told_otherwise) = answers(&unusual, &unusual.crm().await).await;

    assert_eq!(told_otherwise, told);
}

#[tokio::test]
async fn the_service_works_in_sessions_of_unusual_settings() {
    let database = Database::new().await;
    database.set(&UNUSUAL).await;
    database.note_writes().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let rejected = crm.lead_ids(run).await[1_234];
    database
        .run(&format!(
            "alter table public.leads add constraint stays
             check (id <> '{rejected}' or column_id = '{}')",
            crm.inbox.column
        ))
        .await;
    let service = Service::start(&database, &["--poll-interval", "1h"]).await;

    crm.enqueue(run).await;

    eventually("the move has ended", async || {
        crm.status(run).await == "completed_with_errors"
    })
    .await;
    assert_eq!(counts(&crm, run).await, (2_500, 2_499, 0, 1));
    database.check_writes(100).await;
    crm.check().await;
    assert_eq!(
        service.count_logged("database not reached; trying again"),
        0
    );
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn row_security_does_not_hide_leads_from_the_mover() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    database
        .run(
            "alter table public.leads enable row level security;
             alter table public.runs enable row level security;
             alter table public.columns enable row level security;
             grant usage on schema public to service_role",
        )
        .await;
    for row_security in ["on", "off"] {
        let application = database.open().await;
        application
            .batch_execute(&format!(
                "set row_security = {row_security}; set role service_role"
            ))
            .await
            .unwrap();

        let answer = enqueue_in(&application, run, crm.target, None)
            .await
            .unwrap();
        assert_eq!(answer["total"], 150);
        while process_in(&application, None).await.unwrap().is_some() {}

        assert_eq!(crm.status(run).await, "completed");
        assert_eq!(crm.leads_at(run, crm.target).await, 150);
        database
            .run("update public.leads set funnel_id = null, column_id = null")
            .await;
    }
}
