//! The command line.

mod bars;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod failure;
mod health;
mod help;
mod moves;
mod output;
mod serve;
mod systemd;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use self::help::{
    AFTER_HELP, COMPLETIONS_HELP, ENQUEUE_HELP, HEALTH_HELP, MIGRATE_HELP, SERVE_HELP, STATUS_HELP,
};
use self::output::print_line;
use crate::config::{DatabaseArgs, LogArgs, LogFormat, ServiceArgs};
use crate::queue::Control;
use crate::{migrate, schema};

/// Moves a great many CRM leads between kanban columns in a live PostgreSQL, in small batches.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: listen, move leads, serve HTTP
    #[command(after_help = SERVE_HELP)]
    Serve(ServiceArgs),
    /// Install or upgrade the queue, schema, functions and trigger
    #[command(after_help = MIGRATE_HELP)]
    Migrate(MigrateArgs),
    /// Check connection, versions, PGMQ, schema, grants, index, trigger and that a NOTIFY comes back
    Doctor(doctor::DoctorArgs),
    /// Ask a running service whether it lives, or with --ready whether it is ready
    #[command(after_help = HEALTH_HELP)]
    Health(health::HealthArgs),
    /// Try it: a private PostgreSQL, 992 leads, the whole way
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Queue the move of a run's leads to a funnel and column
    #[command(after_help = ENQUEUE_HELP)]
    Enqueue(moves::EnqueueArgs),
    /// Show how far moves are
    #[command(after_help = STATUS_HELP)]
    Status(moves::StatusArgs),
    /// Cancel the run's active move; leads already moved stay where they are
    Cancel(RunArgs),
    /// Pause the run's active move
    Pause(RunArgs),
    /// Resume the run's paused move
    Resume(RunArgs),
    /// Move what the run's last move left: it failed, or leads were rejected
    Retry(RunArgs),
    /// Print what a shell needs to complete commands and flags
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
struct MigrateArgs {
    /// First create the tables of a small CRM, for trying it out
    #[arg(long)]
    example_schema: bool,
    /// Print the SQL instead of running it, to deliver as a migration of your own
    #[arg(long)]
    print: bool,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The run's id
    #[arg(allow_negative_numbers = true)]
    run: String,
    /// Print the SQL function's JSON
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Runs the command. Errors are printed here, once.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let outcome = start_logging(&self.log, self.command.log_filter())
            .and_then(|()| block_on(self.command.run(&self.database))?);
        outcome.unwrap_or_else(|error| failure::print(&error))
    }
}

impl Command {
    /// The log filter where none is set: commands other than `serve` print their results themselves.
    fn log_filter(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info",
            _ => "warn",
        }
    }

    async fn run(self, database: &DatabaseArgs) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(args) => serve::run(&args, database.settings()?).await,
            Self::Migrate(args) => args.run(database).await,
            Self::Doctor(args) => args.run(database.settings()?).await,
            Self::Health(args) => args.run().await,
            #[cfg(feature = "demo")]
            Self::Demo(args) => demo::run(args).await,
            Self::Enqueue(args) => args.run(&database.settings()?).await,
            Self::Status(args) => args.run(&database.settings()?).await,
            Self::Cancel(args) => args.run(Control::Cancel, database).await,
            Self::Pause(args) => args.run(Control::Pause, database).await,
            Self::Resume(args) => args.run(Control::Resume, database).await,
            Self::Retry(args) => args.run(Control::Retry, database).await,
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "lead-mover", &mut script);
                print_line(String::from_utf8(script)?.trim_end());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl MigrateArgs {
    async fn run(&self, database: &DatabaseArgs) -> anyhow::Result<ExitCode> {
        if self.print {
            print_line(migrate::script(self.example_schema));
            return Ok(ExitCode::SUCCESS);
        }
        let settings = database.settings()?;
        let applied = migrate::install(&settings, self.example_schema).await?;
        match applied.len() {
            0 => print_line(format_args!("{settings}: the schema is current")),
            files => print_line(format_args!(
                "{settings}: applied {files} files; the schema is current"
            )),
        }
        let session = pg_connection::open_session(&settings, "lead-mover migrate").await?;
        if let Some(statement) = schema::missing_lead_index(&session)
            .await
            .context("cannot see which indexes the lead table has")?
        {
            print_line(format_args!(
                "No index serves the walk along a run's leads. Create one:\n{statement};"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl RunArgs {
    async fn run(&self, control: Control, database: &DatabaseArgs) -> anyhow::Result<ExitCode> {
        moves::control(control, &self.run, self.json, &database.settings()?).await
    }
}

/// Runs it to its end, and no longer. Host names are looked up by threads that cannot be stopped: one that
/// waits for a name server that does not answer would keep the process from ending.
fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(outcome)
}

fn start_logging(args: &LogArgs, default_filter: &str) -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_new(args.log.as_deref().unwrap_or(default_filter))
            .map_err(|error| failure::WrongUse(format!("cannot use RUST_LOG: {error}")))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        // A line that cannot be written (full disk, closed pipe) is lost. The subscriber would report that
        // with `eprintln!`, which panics for the same cause, and end the service.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let started = match args.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(anyhow::Error::from_boxed)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_that_is_still_being_looked_up_is_not_waited_for() {
        let (name_server, looking_up) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let outcome = block_on(async move {
                let (started, has_started) = tokio::sync::oneshot::channel();
                let _look_up = tokio::task::spawn_blocking(move || {
                    started.send(()).unwrap();
                    looking_up.recv()
                });
                has_started.await.unwrap(); // what has not begun is never begun
            });
            ended.send(outcome.is_ok()).unwrap();
        });

        assert_eq!(end.recv_timeout(Duration::from_secs(30)), Ok(true));
        drop(name_server);
    }
}
