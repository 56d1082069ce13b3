//! A transaction-mode pooler between the service and its database: PgBouncer with a pool of two.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use serde_json::Value;

use crate::support::{Database, PgBouncer, Service, command, eventually, finish, value};

/// No notification comes in through the pooler, so the probe waits for its time-out.
const TIMINGS: &str = "heartbeat=300ms,notify=1s,degraded_poll=200ms,sample=200ms,reconnect=300ms";

const NOTIFIED: &str = "lead_mover_wakeups_total{reason=\"notify\"}";

const DEAF: &str = "no notification comes in over this connection (a transaction-mode pooler?); polling \
                    instead. Set DATABASE_LISTEN_URL to a direct or session-mode connection to the same database";

#[tokio::test]
async fn behind_it_the_service_says_that_it_is_deaf_and_polls() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let bouncer = PgBouncer::before(&database).await;
    let url = bouncer.connection_string();
    let service = Service::start_unready(
        &url,
        &[
            "--poll-interval",
            "1h",
            "--workers",
            "4",
            "--timings",
            TIMINGS,
        ],
    )
    .await;

    eventually("it is found out", async || {
        let (status, body) = service.readyz().await;
        status == 503 && body["listener"] == "deaf" && body["schema"] == "current"
    })
    .await;
    let run = crm.run_of(3_000).await;
    crm.enqueue(run).await;
    crm.completed(run).await;

    assert_eq!(crm.leads_at(run, crm.target).await, 3_000);
    service.logged_once(DEAF).await;
    for kind in ["connection", "access", "schema", "timeout", "database"] {
        let series = format!("lead_mover_errors_total{{kind=\"{kind}\"}}");
        assert_eq!(service.metric(&series).await, 0.0, "{kind}");
    }
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}

/// With one server session at hand, a session that listens and notifies there receives it, whatever the mode.
#[tokio::test]
async fn a_listener_that_has_the_pooler_for_itself_is_found_out_to_be_deaf_too() {
    let database = Database::new().await;
    let bouncer = PgBouncer::before(&database).await;
    let listen_url = bouncer.connection_string();

    let arguments = [
        "--poll-interval",
        "1h",
        "--database-listen-url",
        &listen_url,
        "--timings",
        TIMINGS,
    ];
    let service = Service::start_unready(&database.connection_string(), &arguments).await;

    eventually("the listener knows", async || {
        service.readyz().await.1["listener"] != "connecting"
    })
    .await;
    assert_eq!(service.readyz().await.1["listener"], "deaf");
    service.logged_once(DEAF).await;
}

/// The proof is repeated for as long as it fails.
#[tokio::test]
async fn once_the_pooler_leaves_sessions_to_their_clients_it_hears() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let bouncer = PgBouncer::before(&database).await;
    let url = bouncer.connection_string();
    let service = Service::start_unready(
        &url,
        &[
            "--poll-interval",
            "1h",
            "--workers",
            "1",
            "--timings",
            TIMINGS,
        ],
    )
    .await;
    eventually("it is deaf", async || {
        service.readyz().await.1["listener"] == "deaf"
    })
    .await;

    bouncer.run("set default_pool_size = 10").await;
    bouncer.run("set pool_mode = session").await;

    service.ready().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    eventually("it is noticed by its notification", async || {
        service.metric(NOTIFIED).await >= 1.0 && crm.status(run).await == "completed"
    })
    .await;
}

#[tokio::test]
async fn a_listener_in_another_database_is_found_out_to_be_deaf_too() {
    let (database, another) = (Database::new().await, Database::new().await);
    let listen_url = another.connection_string();
    let arguments = [
        "--poll-interval",
        "1h",
        "--database-listen-url",
        &listen_url,
        "--timings",
        TIMINGS,
    ];

    let service = Service::start_unready(&database.connection_string(), &arguments).await;

    eventually("the listener knows", async || {
        service.readyz().await.1["listener"] != "connecting"
    })
    .await;
    assert_eq!(service.readyz().await.1["listener"], "deaf");
}

#[tokio::test]
async fn with_a_direct_connection_to_listen_on_it_is_ready_and_woken() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let bouncer = PgBouncer::before(&database).await;
    let direct = database.connection_string();
    let arguments = ["--poll-interval", "1h", "--database-listen-url", &direct];
    let service = Service::start_unready(&bouncer.connection_string(), &arguments).await;
    service.ready().await;
    let run = crm.run_of(478).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert!(service.metric(NOTIFIED).await >= 1.0);
    assert_eq!(service.count_logged(DEAF), 0);
    crm.check().await;
}

#[tokio::test]
async fn the_commands_work_through_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let bouncer = PgBouncer::before(&database).await;
    let run = crm.run_of(250).await;
    let [run, funnel, column] =
        [run, crm.target.funnel, crm.target.column].map(|id| id.to_string());
    let through_it = async |arguments: &[&str]| {
        let finished =
            finish(command(arguments).env("DATABASE_URL", bouncer.connection_string())).await;
        assert_eq!(finished.status, Some(0), "{finished:?}");
        serde_json::from_str::<Value>(&finished.stdout).expect("it is JSON")
    };

    let queued = through_it(&["enqueue", &run, &funnel, &column, "--json"]).await;
    assert_eq!(queued["total"], 250);
    let status = through_it(&["status", &run, "--json"]).await;
    assert_eq!(status[0]["status"], "pending");
    let cancelled = through_it(&["cancel", &run, "--json"]).await;
    assert_eq!(cancelled["cancelled_messages"], 1);
    crm.check().await;
}

#[tokio::test]
async fn nothing_of_the_services_stays_with_the_sessions_that_others_use_next() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let bouncer = PgBouncer::before(&database).await;
    let url = bouncer.connection_string();
    let service = Service::start_unready(
        &url,
        &[
            "--poll-interval",
            "1h",
            "--workers",
            "4",
            "--timings",
            TIMINGS,
        ],
    )
    .await;
    let run = crm.run_of(3_000).await;
    crm.enqueue(run).await;
    eventually("the move is completed and the listener knows", async || {
        crm.status(run).await == "completed" && service.readyz().await.1["listener"] == "deaf"
    })
    .await;
    assert_eq!(service.stop().await, Some(0));

    // Both server sessions at once, each held by a transaction.
    let applications = [bouncer.open().await, bouncer.open().await];
    for application in &applications {
        application.batch_execute("begin").await.expect("it begins");
        let left: Vec<String> = value(application, LEFT_BEHIND, &[]).await;
        assert_eq!(left, Vec::<String>::new());
    }
}

/// Settings other than the server's own (but for those that the pooler itself keeps in step with each
/// client), and the channel that an application would receive notifications of.
const LEFT_BEHIND: &str = "
    select coalesce(array_agg(what), '{}')
    from (
      select format('%s = %s', name, setting)
      from pg_settings
      where source in ('session', 'client')
        and name not in (
          'application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings'
        )
      union all
      select channel from pg_listening_channels() as channel where channel = 'lead_migration_queue'
    ) as left_behind (what)";
