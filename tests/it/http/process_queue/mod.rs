//! The address of the old Edge Function, as its callers know it.

mod errors;
mod stopping;
mod supabase_js;

use serde_json::{Value, json};
use ureq::http::{Method, Request, Response};

use crate::support::{Database, Service, send};

const PATH: &str = "/functions/v1/process-lead-migration-queue";
const TOKEN: &str = "um-segredo";
const ARGUMENTS: [&str; 2] = ["--api-token", TOKEN];

/// A service whose workers do not process what is queued.
async fn service_that_waits_for_calls(database: &Database) -> Service {
    database
        .run(
            "alter function lead_mover.process_batch(integer) rename to process_batch_of_anybody;
             create function lead_mover.process_batch(p_batch_size integer)
             returns table (
               outcome text, message_id bigint, run_id uuid, run_name text, leads_moved integer,
               leads_rejected integer, leads_remaining bigint, message text,
               pickup_seconds double precision, next_due_seconds double precision
             )
             language plpgsql as $$
             begin
               if current_setting('application_name') like 'lead-mover worker%' then
                 return query select 'idle', null::bigint, null::uuid, null::text, 0, 0, 0::bigint,
                   null::text, null::double precision, null::double precision;
               else
                 return query select * from lead_mover.process_batch_of_anybody(p_batch_size);
               end if;
             end $$",
        )
        .await;
    Service::start(database, &ARGUMENTS).await
}

fn request(service: &Service, method: Method, body: impl Into<String>) -> Request<String> {
    Request::builder()
        .method(method)
        .uri(format!("http://{}{PATH}", service.address()))
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(body.into())
        .expect("a request")
}

async fn post(service: &Service, body: impl Into<String>) -> (u16, Value) {
    let response = send(request(service, Method::POST, body)).await;
    (response.status().as_u16(), json_of(&response))
}

fn json_of(response: &Response<String>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    serde_json::from_str(response.body()).expect("it is JSON")
}

#[tokio::test]
async fn a_call_processes_what_is_queued_and_returns_what_the_edge_function_returned() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let service = service_that_waits_for_calls(&database).await;
    let message_id = crm.enqueue(run).await["message_id"].clone();

    let (status, mut body) = post(&service, "").await;

    assert_eq!(status, 200);
    let timestamp = body["timestamp"].as_str().expect("a text").to_owned();
    assert!(
        timestamp.len() == 20 && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    let name: String = database
        .value("select name from public.runs where id = $1", &[&run])
        .await;
    let message_ids: Vec<i64> = body["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|result| result["message_id"].as_i64().expect("a number"))
        .collect();
    assert_eq!(json!(message_ids[0]), message_id);
    let result = |batch: usize, moved: u32, remaining: u32| {
        json!({
            "batch": batch, "message_id": message_ids[batch - 1], "run_id": run, "run_name": name,
            "leads_moved": moved, "leads_remaining": remaining, "success": true,
            "message": format!("Batch processado: {moved} leads movidos, {remaining} restantes")
        })
    };
    body["timestamp"] = Value::Null;
    assert_eq!(
        body,
        json!({
            "success": true, "timestamp": null, "batches_processed": 3, "total_leads_moved": 250,
            "results": [result(1, 100, 150), result(2, 100, 50), result(3, 50, 0)],
            "message": "Processados 3 batch(es), 250 leads movidos"
        })
    );
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    crm.check().await;
}

#[tokio::test]
async fn a_call_ends_after_ten_batches_and_one_with_nothing_to_do_at_once() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(120).await;
    let service = service_that_waits_for_calls(&database).await;
    crm.enqueue(run).await;

    for (leads, batches) in [(100, 10), (20, 2), (0, 0)] {
        let (status, body) = post(&service, r#"{"batch_size": 10, "other": 1}"#).await;

        assert_eq!((status, &body["success"]), (200, &json!(true)));
        assert_eq!(body["batches_processed"], batches, "{body}");
        assert_eq!(body["total_leads_moved"], leads, "{body}");
    }
    let moved = service.metric("lead_mover_leads_moved_total").await;
    assert!((moved - 120.0).abs() < 0.5, "counted: {moved}");
    crm.check().await;
}

#[tokio::test]
async fn a_batch_that_fails_is_a_result_like_another() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let service = service_that_waits_for_calls(&database).await;
    crm.enqueue(run).await;
    database
        .run(
            "create function public.fail() returns trigger language plpgsql as
             $$ begin raise exception 'disco cheio' using errcode = '53100'; end $$;
             create trigger fail before update on public.leads
             for each row execute function public.fail()",
        )
        .await;

    let (status, body) = post(&service, "{}").await;

    assert_eq!((status, &body["success"]), (200, &json!(true)));
    assert_eq!(body["results"][0]["success"], false);
    let message = body["results"][0]["message"].as_str().expect("a text");
    assert!(message.contains("disco cheio"), "{message}");
    crm.check().await;
}

#[tokio::test]
async fn a_browser_may_ask_first_without_a_key() {
    let database = Database::new().await;
    let service = service_that_waits_for_calls(&database).await;
    let mut request = request(&service, Method::OPTIONS, "");
    request.headers_mut().clear();

    let response = send(request).await;

    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "*");
    for header in ["authorization", "apikey", "content-type", "x-client-info"] {
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains(header), "{allowed}");
    }
}
