//! The terminal, the doctor and the old Edge Function's address with ids that are no uuids.

use serde_json::{Value, json};

use super::recipes::with_ids;
use crate::support::{Database, Finished, Service, command, finish, send};

async fn run(database: &Database, arguments: &[&str]) -> Finished {
    finish(command(arguments).env("DATABASE_URL", database.connection_string())).await
}

async fn json_of(database: &Database, arguments: &[&str]) -> Value {
    let finished = run(database, &[arguments, &["--json"]].concat()).await;
    assert_eq!(finished.status, Some(0), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}

/// Run -7 and 7 with 150 leads each.
async fn crm(funnel: &str) -> Database {
    let database = with_ids("integer", funnel, "text").await;
    let (name, value) = if funnel.is_empty() {
        ("", "")
    } else {
        (", funnel_id", ", 1")
    };
    database
        .run(&format!(
            "insert into public.runs values (7, 'Padarias'), (-7, 'Outra');
             insert into public.columns (id{name}) values ('novo'{value}), ('ligar já'{value});
             insert into public.leads (run_id, column_id{name})
               select case when n % 2 = 0 then 7 else -7 end, 'novo'{value} from generate_series(1, 300) n"
        ))
        .await;
    database
}

#[tokio::test]
async fn commands_take_any_id_and_print_numbers_as_numbers() {
    let database = crm("bigint").await;

    let queued = json_of(&database, &["enqueue", "7", "1", "ligar já"]).await;
    let negative = json_of(&database, &["enqueue", "-7", "1", "ligar já"]).await;

    assert_eq!(queued["run_id"], 7);
    assert_eq!(queued["funnel_id"], 1);
    assert_eq!(negative["run_id"], -7);
    let status = json_of(&database, &["status", "7"]).await;
    let ids = [
        &status[0]["run_id"],
        &status[0]["funnel_id"],
        &status[0]["column_id"],
    ];
    assert_eq!(json!(ids), json!([7, 1, "ligar já"]));
    assert_eq!(
        json_of(&database, &["status"])
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for control in ["pause", "resume", "cancel"] {
        let answer = json_of(&database, &[control, "-7"]).await;
        assert_eq!(answer["run_id"], -7, "{control}");
    }
}

#[tokio::test]
async fn an_id_of_another_type_is_an_error_of_the_server() {
    let database = crm("bigint").await;
    for arguments in [
        &[
            "enqueue",
            "a0000000-0000-4000-8000-000000000001",
            "1",
            "novo",
        ][..],
        &["status", "seven"],
        &["cancel", "7.5"],
    ] {
        let finished = run(&database, arguments).await;

        assert_eq!(finished.status, Some(1), "{arguments:?}");
        assert!(finished.stderr.contains("(22P02)"), "{finished:?}");
    }
}

#[tokio::test]
async fn without_funnels_any_word_stands_for_the_funnel() {
    let database = crm("").await;

    let queued = json_of(&database, &["enqueue", "7", "-", "ligar já"]).await;

    assert_eq!(queued["total"], 150);
    assert_eq!(queued["funnel_id"], Value::Null);
}

#[tokio::test]
async fn the_service_moves_them_and_doctor_names_a_run_whose_move_failed() {
    let database = crm("bigint").await;
    let service = Service::start(&database, &[]).await;

    let ended = run(&database, &["enqueue", "7", "1", "ligar já", "--wait"]).await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let _ = service.stop().await;
    json_of(&database, &["enqueue", "-7", "1", "ligar já"]).await;
    database
        .run("delete from public.columns where id = 'ligar já'")
        .await;
    database
        .run("select * from public.process_lead_migration_batch()")
        .await;

    let report = database.doctor_report().await;
    let (status, _, advice) = report.check("moves");
    assert_eq!(status, "warning");
    assert!(
        advice.unwrap().ends_with("lead-mover retry -7"),
        "{advice:?}"
    );
}

#[tokio::test]
async fn the_old_address_answers_with_the_run_as_a_number() {
    let database = crm("bigint").await;
    // Nothing is left for the workers: only the calls below process a batch.
    let service = Service::start(&database, &["--api-token", "um-segredo"]).await;
    database
        .run("alter table pgmq.q_lead_migration_queue disable trigger user")
        .await;
    json_of(&database, &["enqueue", "7", "1", "ligar já"]).await;

    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!(
            "http://{}/functions/v1/process-lead-migration-queue",
            service.address()
        ))
        .header("authorization", "Bearer um-segredo")
        .body(String::new())
        .expect("a request");
    let response = send(request).await;

    let answer: Value = serde_json::from_str(response.body()).expect("JSON");
    assert_eq!(answer["total_leads_moved"], 150, "{answer}");
    assert_eq!(answer["results"][0]["run_id"], 7, "{answer}");
}
