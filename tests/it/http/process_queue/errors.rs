//! Requests that get an error response.

use serde_json::Value;
use ureq::http::Method;

use super::{ARGUMENTS, TOKEN, json_of, post, request, service_that_waits_for_calls};
use crate::support::{Database, Gate, Service, command, send};

fn assert_error((status, body): (u16, Value), expected: u16) {
    assert_eq!(status, expected, "{body}");
    assert_eq!(body["success"], false, "{body}");
    assert!(
        body["error"].as_str().is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}

#[tokio::test]
async fn only_a_call_with_the_key_moves_leads() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let service = service_that_waits_for_calls(&database).await;
    crm.enqueue(run).await;

    for (name, value, expected) in [
        ("x-key", TOKEN, 401),
        ("authorization", "Bearer wrong", 401),
        ("authorization", TOKEN, 401),
        ("apikey", "", 401),
        ("apikey", TOKEN, 200),
    ] {
        let mut request = request(&service, Method::POST, "");
        request.headers_mut().clear();
        request
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
        let response = send(request).await;
        let answer = (response.status().as_u16(), json_of(&response));
        if expected == 200 {
            assert_eq!(answer.0, 200, "{answer:?}");
        } else {
            assert_eq!(
                crm.leads_at(run, crm.target).await,
                0,
                "{name}: {value} moved leads"
            );
            assert_error(answer, expected);
        }
    }
}

#[tokio::test]
async fn each_bad_request_gets_its_status() {
    let database = Database::new().await;
    let service = service_that_waits_for_calls(&database).await;

    for body in [
        "{",
        "[]",
        "\"x\"",
        "1",
        r#"{"batch_size": 0}"#,
        r#"{"batch_size": -1}"#,
        r#"{"batch_size": 10001}"#,
        r#"{"batch_size": 2147483648}"#,
        r#"{"batch_size": 1.5}"#,
        r#"{"batch_size": "100"}"#,
    ] {
        assert_error(post(&service, body).await, 400);
    }
    for body in [
        "",
        " ",
        "{}",
        r#"{"batch_size": null}"#,
        r#"{"batch_size": 10000}"#,
    ] {
        assert_eq!(post(&service, body).await.0, 200, "{body}");
    }
    assert_error(post(&service, " ".repeat(16 * 1024 + 1)).await, 413);

    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let response = send(request(&service, method, "")).await;
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
        assert_error((response.status().as_u16(), json_of(&response)), 405);
    }
}

#[tokio::test]
async fn more_than_four_calls_at_once_get_503() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let gate = Gate::close(&database).await;
    let service = service_that_waits_for_calls(&database).await;
    for _ in 0..4 {
        let run = crm.run_of(5).await;
        crm.enqueue(run).await;
    }

    let call = || post(&service, "");
    let (first, second, third, fourth, further) =
        tokio::join!(call(), call(), call(), call(), async {
            gate.reached_by(4).await;
            let further = call().await;
            gate.open().await;
            further
        });

    assert_error(further, 503);
    let moved: u64 = [first, second, third, fourth]
        .iter()
        .map(|(_, body)| body["total_leads_moved"].as_u64().expect("a number"))
        .sum();
    assert_eq!(moved, 20);
}

#[tokio::test]
async fn without_a_database_the_answer_is_503() {
    let service = Service::start_unready("host=127.0.0.1 port=1 user=x dbname=x", &ARGUMENTS).await;

    assert_error(post(&service, "").await, 503);
}

#[tokio::test]
async fn while_it_stops_the_running_call_ends_and_further_ones_get_503() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(30).await;
    let gate = Gate::close(&database).await;
    let service = service_that_waits_for_calls(&database).await;
    crm.enqueue(run).await;

    let (running, further) = tokio::join!(post(&service, r#"{"batch_size": 10}"#), async {
        gate.reached_by(1).await;
        service.ask_to_stop().await;
        let further = post(&service, "").await;
        gate.open().await;
        further
    });

    assert_error(further, 503);
    assert_eq!(running.0, 200);
    assert_eq!(
        running.1["batches_processed"], 1,
        "no new batch after the signal"
    );
    crm.check().await;
}

#[tokio::test]
async fn without_a_token_there_is_no_such_address_and_a_blank_one_is_an_error() {
    let database = Database::new().await;
    let service = Service::start(&database, &[]).await;
    let response = send(request(&service, Method::POST, "")).await;
    assert_eq!(response.status(), 404);

    for token in ["", " \n"] {
        let output = command(&["serve"])
            .env("DATABASE_URL", database.connection_string())
            .env("LEAD_MOVER_API_TOKEN", token)
            .output()
            .await
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
    }
}
