//! The PostgreSQL of a `cargo nextest run`, which starts each test in a process of its own: this set-up script
//! (`.config/nextest.toml`) starts one server for all of them and makes the template of their databases.
//!
//! A second process of this program owns the server. It stops the server and removes its directory when
//! nextest has ended, in whatever way.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::{CommandExt as _, parent_id},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use lead_mover::migrate;
use local_postgres::{Durability, LocalPostgres};
use nix::{sys::signal::kill, unistd::Pid};

const TEMPLATE: &str = "lead_mover_template";
/// All that tests of other processes need before the schema is installed: Supabase's roles, and one that
/// nothing was granted to.
const ROLES: &str = "create role anon nologin; create role authenticated nologin;
     create role service_role nologin; create role lead_mover_stranger nologin";
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1) {
        None => set_up(),
        Some(nextest) => serve(Pid::from_raw(nextest.parse()?)),
    }
}

/// Starts the owner of the server, and passes on the variables that it answers with.
fn set_up() -> anyhow::Result<()> {
    let mut owner = Command::new(std::env::current_exe()?)
        .arg(parent_id().to_string())
        .process_group(0) // beyond the signals of nextest and of its terminal
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let answer = owner.stdout.take().context("it was asked for")?;
    let mut variables = String::new();
    for line in BufReader::new(answer).lines() {
        let line = line?;
        if line.is_empty() {
            let path = required_variable("NEXTEST_ENV")?;
            OpenOptions::new()
                .append(true)
                .open(path)?
                .write_all(variables.as_bytes())?;
            return Ok(());
        }
        variables += &line;
        variables += "\n";
    }
    let mut reason = String::new();
    if let Some(mut stderr) = owner.stderr.take() {
        stderr.read_to_string(&mut reason)?;
    }
    anyhow::bail!("the server was not set up: {reason}");
}

fn required_variable(name: &str) -> anyhow::Result<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how nextest tells its set-up scripts"
    )]
    std::env::var(name).with_context(|| format!("{name} is not set: nextest runs this program"))
}

/// Owns the server until nextest has ended.
fn serve(nextest: Pid) -> anyhow::Result<()> {
    let server = LocalPostgres::start(Durability::None)?;
    let url = server.connection_string("postgres");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(make_template(&server))?;
    let mut stdout = std::io::stdout();
    write!(
        stdout,
        "TEST_DATABASE_URL={url}\nTEST_DATABASE_IS_PRIVATE=1\nTEST_DATABASE_TEMPLATE={TEMPLATE}\n\n"
    )?;
    stdout.flush()?;
    while kill(nextest, None).is_ok() {
        #[expect(
            clippy::disallowed_methods,
            reason = "no process can wait for one that is not its child"
        )]
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}

async fn make_template(server: &LocalPostgres) -> anyhow::Result<()> {
    let settings = server.connection_string("postgres").parse()?;
    let session = pg_connection::open_session(&settings, "set-up").await?;
    session.batch_execute(ROLES).await?;
    session
        .batch_execute(&format!("create database {TEMPLATE}"))
        .await?;
    migrate::install(&server.connection_string(TEMPLATE).parse()?, true).await?;
    Ok(())
}
