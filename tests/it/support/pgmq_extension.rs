//! PGMQ as an extension of a server, in any of its versions, from the files of its maintainers.
//!
//! Their crate, of whose SQL `migrate` installs PGMQ where there is no extension, has a script from each version to the next, and the whole
//! SQL of one. A newer one is in their Python package. Where a version has no whole SQL of its own, the
//! extension begins at 1.1.1, with the few objects that no later script creates, and takes every script up to
//! that version, as in a database that was upgraded all the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::extension_directory::ExtensionDirectory;
use super::{OwnServer, is_left_out};

/// Leaves out all of these tests, where a copy of the server does not work.
const WITHOUT_EXTENSION: &str = "TEST_WITHOUT_PGMQ_EXTENSION";
/// Leaves out the one whose SQL is fetched.
const WITHOUT_NEWEST: &str = "TEST_WITHOUT_NEWEST_PGMQ";

/// Where `scripts/setup tests` puts the Python package's SQL.
const NEWEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/pgmq/pgmq/sql");

/// What PGMQ's later scripts expect; all functions but one are theirs.
const BASE: &str = "
create table pgmq.meta (
  queue_name varchar unique not null,
  is_partitioned boolean not null,
  is_unlogged boolean not null,
  created_at timestamptz not null default now()
);
grant usage on schema pgmq to pg_monitor;
grant select on all tables in schema pgmq to pg_monitor;
alter default privileges in schema pgmq grant select on tables to pg_monitor;
alter default privileges in schema pgmq grant select on sequences to pg_monitor;
create type pgmq.message_record as (
  msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb
);
create type pgmq.metrics_result as (
  queue_name text, queue_length bigint, newest_msg_age_sec int, oldest_msg_age_sec int,
  total_messages bigint, scrape_time timestamptz
);
create function pgmq.metrics_all() returns setof pgmq.metrics_result language plpgsql as $$
begin
  return query select m.* from pgmq.meta q cross join lateral pgmq.metrics(q.queue_name) m;
end
$$;
";

/// A server that offers one version of the extension.
pub(crate) struct PgmqServer {
    pub(crate) server: OwnServer,
    // Removed after the server has stopped.
    directory: ExtensionDirectory,
    crate_sql: PathBuf,
}

impl PgmqServer {
    /// Of that version, up to the one that the crate has. `None` where the environment leaves these tests out.
    pub(crate) async fn start(version: &str) -> Option<Self> {
        if is_left_out(WITHOUT_EXTENSION) {
            return None;
        }
        let crate_sql = crate_directory().join("src/install/embedded");
        let directory = ExtensionDirectory::new().await;
        let (whole_sql, whole) = pgmq_sql_of_the_crate();
        for entry in fs::read_dir(crate_sql.join("sql")).expect("the crate has it") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name != "pgmq.sql" {
                directory.write(&name, &read(&path));
            }
        }
        directory.write("pgmq--1.1.1.sql", BASE);
        directory.write(&format!("pgmq--{whole}.sql"), &whole_sql);
        let server = Self {
            server: OwnServer::start_with(directory.programs()).unwrap_or_else(|error| {
                panic!(
                    "{error}\nwhere a copy of the server does not work, set {WITHOUT_EXTENSION}=1"
                )
            }),
            directory,
            crate_sql,
        };
        server.offer(version);
        Some(server)
    }

    /// Of the newest version. `None` where the environment has the setting that its SQL cannot be had here.
    pub(crate) async fn start_newest() -> Option<(Self, String)> {
        if is_left_out(WITHOUT_NEWEST) {
            return None;
        }
        let file = |name: &str| {
            fs::read_to_string(Path::new(NEWEST).join(name)).unwrap_or_else(|error| {
                panic!(
                    "{NEWEST}/{name}: {error}: the newest PGMQ's SQL is not here; run scripts/setup tests, or \
                     set {WITHOUT_NEWEST}=1"
                )
            })
        };
        let version = file("VERSION").trim().to_owned();
        let sql = file("pgmq.sql");
        let server = Self::start(&version).await?;
        let name = format!("pgmq--{version}.sql");
        server.directory.write(&name, &sql);
        Some((server, version))
    }

    /// `create extension` makes that version.
    fn offer(&self, version: &str) {
        let control = read(&self.crate_sql.join("pgmq.control"));
        let lines = control.lines().map(|line| {
            if line.starts_with("default_version") {
                format!("default_version = '{version}'\n")
            } else {
                format!("{line}\n")
            }
        });
        self.directory
            .write("pgmq.control", &lines.collect::<String>());
    }
}

/// The whole SQL that the maintainers' crate has, and which version it makes.
pub(crate) fn pgmq_sql_of_the_crate() -> (String, String) {
    let folder = crate_directory().join("src/install/embedded");
    let control = read(&folder.join("pgmq.control"));
    let (_, version) = control
        .split_once("default_version = '")
        .expect("it has one");
    let (version, _) = version.split_once('\'').expect("it is quoted");
    (read(&folder.join("sql/pgmq.sql")), version.to_owned())
}

/// Where Cargo has unpacked the crate.
fn crate_directory() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--offline",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("Cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{}", String::from_utf8_lossy(&output.stderr));
    });
    let packages = metadata["packages"].as_array().expect("a list");
    let pgmq = packages.iter().find(|package| package["name"] == "pgmq");
    let manifest = pgmq.expect("we depend on it")["manifest_path"].as_str();
    PathBuf::from(manifest.expect("a path"))
        .parent()
        .expect("it is in a directory")
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
