//! `lead-mover demo`: the whole way, on a PostgreSQL of its own.

mod walkthrough;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::output::print_line;
use super::serve::Signals;
use crate::app::Service;
use crate::config::ServiceSettings;
use crate::migrate;
use crate::queue::{Queue, QueueError};
use crate::shutdown::Shutdown;
use crate::timings::Timings;
use local_postgres::{Durability, LocalPostgres};
use pg_connection::ConnectionSettings;

const DATABASE: &str = "demo";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// End after the moves: 0 if every lead is at its target
    #[arg(long)]
    exit: bool,
    /// Leads a batch; 110 divides both runs, of 478 and 514 leads, into five
    #[arg(long, default_value_t = 110, value_parser = clap::value_parser!(i32).range(1..=10000))]
    batch_size: i32,
    /// Where /metrics, /healthz and /readyz are served; port 0 takes a free one
    #[arg(
        long,
        env = "LEAD_MOVER_HTTP_ADDR",
        default_value = "127.0.0.1:0",
        value_name = "ADDR"
    )]
    http_addr: SocketAddr,
}

pub(super) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    print_line("Starting a PostgreSQL of its own …");
    let mut server =
        tokio::task::spawn_blocking(|| LocalPostgres::start(Durability::Full)).await??;
    let outcome = run_on(&server, &args).await;
    tokio::task::spawn_blocking(move || server.stop()).await??;
    outcome
}

async fn run_on(server: &LocalPostgres, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let database = prepare(server).await?;
    let mut signals = Signals::new()?;
    let shutdown = Shutdown::default();
    let service = Service::bind(ServiceSettings {
        database: database.clone(),
        database_listen: Some(database.clone()),
        workers: 2,
        poll_interval: std::time::Duration::from_secs(30),
        http_addr: args.http_addr,
        api_token: None,
        shutdown_grace: std::time::Duration::from_secs(25),
        timings: Timings::default(),
    })
    .await?;
    let http_address = service.http_address();
    let reports = service.reports();
    let health = service.health();
    let running = service.run(shutdown.clone());
    tokio::pin!(running);

    let walkthrough = async {
        health.ready().await;
        let queue = Queue::connect(&database, "lead-mover demo").await?;
        let session = pg_connection::open_session(&database, "lead-mover demo")
            .await
            .map_err(QueueError::Connect)?;
        let all_there = walkthrough::run(&queue, &session, reports, args.batch_size).await?;
        if !args.exit {
            print_line("\nStill running. Look around, and stop it with Ctrl-C:");
            print_line(format_args!(
                "  psql '{}'",
                server.connection_string(DATABASE)
            ));
            print_line(format_args!("  curl http://{http_address}/metrics"));
            shutdown.begun().await;
        }
        Ok::<_, QueueError>(all_there)
    };
    let all_there = tokio::select! {
        // In this order: at an interrupt the walkthrough succeeds, though the service ends with it.
        biased;
        all_there = walkthrough => all_there?,
        ended = &mut running => {
            ended?;
            print_line("Interrupted before the moves had ended.");
            return Ok(ExitCode::FAILURE);
        }
        () = signals.handle(&shutdown) => false,
    };
    shutdown.begin();
    tokio::select! {
        ended = &mut running => ended?,
        () = signals.handle(&shutdown) => {}
    }
    Ok(if all_there {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A database with the schema, the example tables and two runs in it.
async fn prepare(server: &LocalPostgres) -> anyhow::Result<ConnectionSettings> {
    let maintenance: ConnectionSettings = server.connection_string("postgres").parse()?;
    pg_connection::open_session(&maintenance, "lead-mover demo")
        .await?
        .batch_execute(&format!("create database {DATABASE}"))
        .await?;
    let database: ConnectionSettings = server.connection_string(DATABASE).parse()?;
    print_line("Installing PGMQ, the schema and two runs of 478 and 514 leads …");
    migrate::install(&database, true).await?;
    pg_connection::open_session(&database, "lead-mover demo")
        .await?
        .batch_execute(include_str!("seed.sql"))
        .await?;
    Ok(database)
}
