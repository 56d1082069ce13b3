//! Passwords and keys are shown nowhere, however much is logged.

use tokio::process::Command;
use ureq::http::Request;

use crate::support::{OwnServer, Service, finish, get, send};

const PASSWORD: &str = "geheim7e3f5c";
const KEY: &str = "chave0b2d81";

#[tokio::test]
async fn neither_the_log_nor_a_page_nor_the_process_list_shows_them() {
    let server = OwnServer::start();
    let database = server.database("crm").await;
    let crm = database.crm().await;
    database
        .run(&format!(
            "create role app login superuser password '{PASSWORD}'"
        ))
        .await;
    server.admit("local all app scram-sha-256").await;
    let url = format!(
        "{} user=app password={PASSWORD}",
        database.connection_string()
    );
    let environment = [
        ("RUST_LOG", "trace"),
        ("LEAD_MOVER_API_TOKEN", KEY),
        ("DATABASE_LISTEN_URL", &url),
    ];
    let service = Service::start_with(
        &url,
        &["--poll-interval", "1h", "--timings", "reconnect=1s"],
        &environment,
    )
    .await;
    service.ready().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.completed(run).await;
    for (key, status) in [(KEY, 200), ("outra", 401)] {
        for (header, value) in [
            ("authorization", format!("Bearer {key}")),
            ("apikey", key.to_owned()),
        ] {
            let call = Request::post(format!(
                "http://{}/functions/v1/process-lead-migration-queue",
                service.address()
            ))
            .header(header, value)
            .body(String::new())
            .expect("a request");
            assert_eq!(send(call).await.status(), status);
        }
    }
    // It is asked for the password again, and says what it makes of a wrong one.
    database
        .run("alter role app password 'another'; select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
        .await;
    service
        .logged_once("database not reached; trying again")
        .await;

    let mut shown = vec![format!("{:?}", service.log())];
    for page in ["/metrics", "/readyz", "/healthz"] {
        shown.push(get(service.address(), page).await.1);
    }
    let processes = finish(Command::new("ps").args(["-ww", "-eo", "args"])).await;
    assert!(processes.stdout.contains("lead-mover"), "{processes:?}");
    shown.push(processes.stdout);
    for text in shown {
        assert!(
            !text.contains(PASSWORD) && !text.contains(KEY),
            "{}",
            excerpt(&text)
        );
    }
    assert_eq!(service.stop().await, Some(0));
}

/// Where one of them stands.
fn excerpt(text: &str) -> String {
    let at = text.find(PASSWORD).or_else(|| text.find(KEY)).unwrap_or(0);
    let from = text.floor_char_boundary(at.saturating_sub(200));
    text[from..].chars().take(400).collect()
}
