//! `lead-mover serve` whose log lines cannot be written: it loses them and goes on.

use std::fs::File;
use std::net::TcpListener;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::support::{Database, command, eventually, get};

fn start(database: &Database, http_address: &str, stderr: Stdio) -> Child {
    command(&["serve", "--http-addr", http_address, "--log-format", "json"])
        .args(["--poll-interval", "1h", "--timings", "reconnect=300ms"])
        .env("DATABASE_URL", database.connection_string())
        .stderr(stderr)
        .spawn()
        .expect("the binary runs")
}

/// An address for a service that cannot log which one it took.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has one").to_string()
}

/// The service loses its sessions, which it logs. It connects again, moves leads and stops when it is asked to.
async fn assert_goes_on(mut service: Child, database: &Database, http_address: &str) {
    let crm = database.crm().await;
    let working = async {
        eventually("it serves HTTP", async || {
            TcpStream::connect(http_address).await.is_ok()
        })
        .await;
        is_ready(http_address).await;
        database
            .run(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name like 'lead-mover%'",
            )
            .await;
        is_ready(http_address).await;
        let run = crm.run_of(250).await;
        crm.enqueue(run).await;
        crm.completed(run).await;
        assert_eq!(get(http_address, "/healthz").await.0, 200);
    };
    tokio::select! {
        status = service.wait() => panic!("it has ended: {status:?}"),
        () = working => {}
    }
    let pid = service.id().expect("it runs").cast_signed();
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it can be signalled");
    assert_eq!(service.wait().await.expect("it ends").code(), Some(0));
}

async fn is_ready(http_address: &str) {
    eventually("the service is ready", async || {
        get(http_address, "/readyz").await.0 == 200
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_starts_and_moves_leads_while_the_disk_of_its_log_is_full() {
    let database = Database::new().await;
    let address = free_address();
    let full = File::options().write(true).open("/dev/full").unwrap();

    let service = start(&database, &address, full.into());

    assert_goes_on(service, &database, &address).await;
}

#[tokio::test]
async fn it_starts_and_moves_leads_when_nothing_reads_its_log() {
    let database = Database::new().await;
    let address = free_address();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);

    let service = start(&database, &address, writer.into());

    assert_goes_on(service, &database, &address).await;
}

#[tokio::test]
async fn it_moves_leads_after_the_reader_of_its_log_has_gone() {
    let database = Database::new().await;
    let mut service = start(&database, "127.0.0.1:0", Stdio::piped());
    let mut lines = BufReader::new(service.stderr.take().expect("it is piped")).lines();
    let address = loop {
        let line = lines.next_line().await.expect("text").expect("a line more");
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        if let Some(address) = line["http"].as_str() {
            break address.to_owned();
        }
    };

    drop(lines);

    assert_goes_on(service, &database, &address).await;
}
