//! The compose file: what it runs, mounts, needs as variables and opens.

use std::collections::BTreeSet;
use std::fs;

use super::{COMPOSE, package};
use crate::support::{OwnServer, Service, command, eventually, finish, value};

const ENVIRONMENT: &str = include_str!("../../../.env.example");

#[tokio::test]
async fn what_compose_runs_makes_a_crm_whose_runs_move_there_and_back() {
    let server = OwnServer::start();
    let database = server.empty_database("crm").await;
    let psql = async |file: &str| {
        let mut psql = server.psql("crm");
        psql.args([
            "--quiet",
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            "--file",
            file,
        ])
        .current_dir(package())
        .env("LEAD_MOVER_DB_PASSWORD", "it's \"quoted\"")
        .env("GRAFANA_DB_PASSWORD", "abc");
        let finished = finish(&mut psql).await;
        assert_eq!(finished.status, Some(0), "{file}: {finished:?}");
        finished.stdout
    };
    psql("migrations/example_schema.sql").await;
    psql("src/cli/demo/seed.sql").await;
    // Compose runs these two again at each `up`.
    for _ in 0..2 {
        let url = database.connection_string();
        let migrated = finish(command(&["migrate"]).env("DATABASE_URL", url)).await;
        assert_eq!(migrated.status, Some(0), "{migrated:?}");
        let directory = as_mounted();
        psql(&directory.path().join("compose/roles.sql").to_string_lossy()).await;
    }
    let worker = database.connection_string() + " user=lead_mover_worker";
    let service = Service::start_unready(&worker, &["--poll-interval", "1h"]).await;
    service.ready().await;

    for column in [
        "c0000000-0000-4000-8000-000000000002",
        "c0000000-0000-4000-8000-000000000001",
    ] {
        let printed = psql("deploy/compose/seed.sql").await;
        assert!(
            printed.contains("478 leads") && printed.contains("514 leads"),
            "{printed}"
        );
        eventually("every lead is there", async || {
            let there = "select count(*) from public.leads where column_id::text = $1";
            value::<i64>(database.session(), there, &[&column]).await == 992
        })
        .await;
        eventually("both moves have ended", async || {
            let open = "select count(*) from lead_mover.moves where finished_at is null";
            database.value::<i64>(open, &[]).await == 0
        })
        .await;
    }
    let grafana = database.connection_string() + " user=lead_mover_grafana";
    let session =
        pg_connection::open_session(&grafana.parse().expect("a connection string"), "test")
            .await
            .expect("it opens");
    let moves = "select count(*) from public.get_lead_migration_progress()";
    assert_eq!(value::<i64>(&session, moves, &[]).await, 4);
}

fn as_mounted() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let compose = directory.path().join("compose");
    fs::create_dir(&compose).expect("another");
    for (from, to) in [
        ("deploy/compose/roles.sql", compose.join("roles.sql")),
        (
            "grafana/read-only-role.sql",
            directory.path().join("read-only-role.sql"),
        ),
    ] {
        fs::copy(package().join(from), to).expect("it is copied");
    }
    assert!(COMPOSE.contains("./deploy/compose:/sql/compose:ro"));
    assert!(COMPOSE.contains("./grafana/read-only-role.sql:/sql/read-only-role.sql:ro"));
    directory
}

#[test]
fn the_compose_file_has_no_password_and_the_example_names_all_that_it_asks_for() {
    let asked: BTreeSet<&str> = COMPOSE
        .split("${")
        .skip(1)
        .map(|variable| variable.split([':', '}']).next().expect("a name"))
        .collect();
    let named: BTreeSet<&str> = ENVIRONMENT
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.strip_suffix('=').expect("a name without a value"))
        .collect();
    assert_eq!(asked, named);
    for line in COMPOSE
        .lines()
        .filter(|line| line.to_lowercase().contains("password"))
    {
        let is_comment = line.trim_start().starts_with('#');
        assert!(is_comment || line.contains(":?"), "{line}");
    }
}

#[test]
fn what_compose_mounts_is_there_and_nothing_is_open_to_other_machines() {
    let mut mounted = 0;
    for line in COMPOSE.lines().map(str::trim) {
        if let Some(mount) = line.strip_prefix("- ./") {
            let path = mount.split(':').next().expect("a path");
            assert!(package().join(path).exists(), "{path}");
            mounted += 1;
        }
        if line.starts_with("ports:") {
            assert!(line.starts_with("ports: [\"127.0.0.1:"), "{line}");
        }
    }
    assert_eq!(mounted, 8);
    for image in COMPOSE
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "))
    {
        assert!(
            image == "lead-mover" || image.contains(':'),
            "{image} without a version"
        );
        assert!(!image.ends_with(":latest"), "{image}");
    }
}

#[test]
fn prometheus_grafana_and_the_service_agree_on_where_they_are() {
    let prometheus = include_str!("../../../prometheus/prometheus.yml");
    let grafana = include_str!("../../../grafana/provisioning/datasources/lead-mover.yaml");
    assert!(prometheus.contains("targets: [\"lead-mover:8080\"]"));
    assert!(COMPOSE.contains("\n  lead-mover:\n"));
    assert!(COMPOSE.contains("LEAD_MOVER_HTTP_ADDR: 0.0.0.0:8080"));
    assert!(prometheus.contains("scrape_interval: 15s") && grafana.contains("timeInterval: 15s"));
    for variable in grafana.split("${").skip(1) {
        let (name, _) = variable.split_once('}').expect("it is closed");
        assert!(
            COMPOSE.contains(&format!("\n      {name}: ")),
            "{name} is not set"
        );
    }
}
