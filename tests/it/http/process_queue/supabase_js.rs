//! The call as applications make it: by Supabase's own client.

use serde_json::{Value, json};
use tokio::process::Command;

use super::{TOKEN, service_that_waits_for_calls};
use crate::support::{Database, Service};

/// What `supabase.functions.invoke` returns.
async fn invoke(service: &Service, key: &str, body: &[&str]) -> Value {
    let output = Command::new("node")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/supabase-js/invoke.mjs"
        ))
        .args([&format!("http://{}", service.address()), key])
        .args(body)
        .output()
        .await
        .expect("node runs; scripts/setup installs it, and the client");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
async fn supabases_own_client_gets_the_edge_functions_response() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(120).await;
    let service = service_that_waits_for_calls(&database).await;
    crm.enqueue(run).await;

    let answer = invoke(&service, TOKEN, &[r#"{"batch_size": 100}"#]).await;

    assert_eq!(answer["error"], Value::Null);
    let data = &answer["data"];
    assert_eq!(data["success"], true);
    assert_eq!(data["batches_processed"], 2);
    assert_eq!(data["total_leads_moved"], 120);
    assert_eq!(
        data["results"][1]["message"],
        "Batch processado: 20 leads movidos, 0 restantes"
    );

    let answer = invoke(&service, TOKEN, &[]).await;
    assert_eq!(answer["data"]["batches_processed"], 0);

    let answer = invoke(&service, "wrong", &[]).await;
    assert_eq!(
        answer,
        json!({ "data": null, "error": { "name": "FunctionsHttpError", "status": 401 } })
    );
    crm.check().await;
}
