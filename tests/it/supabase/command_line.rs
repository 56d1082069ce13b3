//! `supabase db push`, `db advisors` and `db lint`.

use std::fs;
use std::path::Path;

use lead_mover::schema::SchemaState;
use tempfile::TempDir;
use tokio::process::Command;

use super::project::{OWNER, Project};
use crate::support::{EXAMPLE_TABLES, Finished, Proxy, finish, is_left_out, printed};

/// Where `scripts/setup tests` puts it.
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/supabase/node_modules/.bin/supabase"
);
/// Leaves out all of these tests, where there is no such program for the system.
const WITHOUT: &str = "TEST_WITHOUT_SUPABASE_CLI";
const WITHOUT_PLPGSQL_CHECK: &str = "TEST_WITHOUT_PLPGSQL_CHECK";

/// Supabase's advisors warn of tables that are open to everybody.
const POLICIES: &str = "
alter table public.leads enable row level security;
alter table public.runs enable row level security;
alter table public.columns enable row level security;
alter table public.funnels enable row level security;
create policy everything on public.leads to service_role using (true);
create policy everything on public.runs to service_role using (true);
create policy everything on public.columns to service_role using (true);
create policy everything on public.funnels to service_role using (true);
";

/// A folder with `supabase/migrations`, and the project that it belongs to.
struct Checkout {
    folder: TempDir,
    project: Project,
    proxy: Proxy,
}

impl Checkout {
    /// With the CRM's tables as the first migration. None where the environment leaves these tests out.
    async fn new() -> Option<Self> {
        if is_left_out(WITHOUT) {
            return None;
        }
        let project = Project::start().await;
        // The command line knows servers by TCP only.
        let proxy = Proxy::before(&project.connection_string(OWNER)).await;
        let checkout = Self {
            folder: tempfile::tempdir().expect("a directory"),
            project,
            proxy,
        };
        checkout.supabase(&["init", "--yes"]).await;
        checkout.add("20251210110000_crm", &format!("{EXAMPLE_TABLES}{POLICIES}"));
        Some(checkout)
    }

    fn add(&self, name: &str, text: &str) {
        let folder = self.folder.path().join("supabase/migrations");
        fs::create_dir_all(&folder).expect("it is created");
        fs::write(folder.join(format!("{name}.sql")), text).expect("it is written");
    }

    /// Runs the command line to its end, with nothing of the tester's own settings.
    async fn try_supabase(&self, arguments: &[&str]) -> Finished {
        assert!(
            Path::new(PROGRAM).exists(),
            "Supabase's command line is not here: run scripts/setup tests, or set {WITHOUT}=1"
        );
        finish(
            Command::new(PROGRAM)
                .args(arguments)
                .current_dir(self.folder.path())
                .env("HOME", self.folder.path())
                .env("SUPABASE_TELEMETRY_DISABLED", "1")
                .env_remove("SUPABASE_ACCESS_TOKEN")
                .kill_on_drop(true),
        )
        .await
    }

    async fn supabase(&self, arguments: &[&str]) -> Finished {
        let finished = self.try_supabase(arguments).await;
        assert_eq!(finished.status, Some(0), "{arguments:?}: {finished:?}");
        finished
    }

    /// The option that names the project's server.
    fn remote(&self) -> String {
        format!("--remote={}", self.proxy.url())
    }

    async fn push(&self) -> Finished {
        self.supabase(&["db", "push", "--yes", &self.remote()])
            .await
    }
}

/// What the release before this one might have printed: one of its functions differs.
async fn earlier_print() -> String {
    let path = "functions/public/get_lead_migration_queue_status.sql";
    let print = printed(&[]).await;
    let start = print.find(&format!("-- {path}\n")).expect("it is printed");
    let length = print[start..].find("end\n$guard$;").expect("it ends");
    let (before, rest) = print.split_at(start);
    let (step, after) = rest.split_at(length);
    let (_, rest_of_checksum) = step.split_once("f.checksum = '").expect("it is compared");
    let checksum = &rest_of_checksum[..64];
    let step = step
        .replace(checksum, &"0".repeat(64))
        .replace("as $$", "as $$\n-- As before.");
    format!("{before}{step}{after}")
}

#[tokio::test]
async fn push_installs_upgrades_and_finds_nothing_to_do_the_second_time() {
    let Some(checkout) = Checkout::new().await else {
        return;
    };
    let database = &checkout.project.database;
    checkout.add("20251210120000_lead_mover", &earlier_print().await);

    checkout.push().await;
    assert_eq!(database.schema_state().await, SchemaState::Outdated);
    let again = checkout.push().await;
    assert!(
        again.stdout.contains("up to date") || again.stderr.contains("up to date"),
        "{again:?}"
    );

    checkout.add("20260110120000_lead_mover", &printed(&[]).await);
    checkout.push().await;
    assert_eq!(database.schema_state().await, SchemaState::Current);

    checkout.add("20260210120000_lead_mover", &printed(&[]).await);
    checkout.push().await;
    assert_eq!(database.schema_state().await, SchemaState::Current);
    let pushed: i64 = database
        .value(
            "select count(*) from supabase_migrations.schema_migrations",
            &[],
        )
        .await;
    assert_eq!(pushed, 4);

    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
}

/// As a new branch and `supabase db reset` do.
#[tokio::test]
async fn all_files_at_once_make_the_same() {
    let Some(checkout) = Checkout::new().await else {
        return;
    };
    checkout.add("20251210120000_lead_mover", &earlier_print().await);
    checkout.add("20260110120000_lead_mover", &printed(&[]).await);

    checkout.push().await;

    let database = &checkout.project.database;
    assert_eq!(database.schema_state().await, SchemaState::Current);
    database.doctor_report().await.assert_all_pass();
}

#[tokio::test]
async fn the_advisors_find_nothing_and_the_linter_no_error() {
    let Some(checkout) = Checkout::new().await else {
        return;
    };
    checkout.add("20251210120000_lead_mover", &printed(&[]).await);
    checkout.push().await;

    let advice = checkout
        .supabase(&[
            "db",
            "advisors",
            &checkout.remote(),
            "--output-format",
            "json",
            "--fail-on",
            "warn",
        ])
        .await;
    let advice: serde_json::Value = serde_json::from_str(&advice.stdout).expect("JSON");
    assert_eq!(advice["results"], serde_json::json!([]), "{advice}");

    if is_left_out(WITHOUT_PLPGSQL_CHECK) {
        return;
    }
    checkout
        .project
        .database
        .run("create extension plpgsql_check schema extensions")
        .await;
    let lint = [
        "db",
        "lint",
        &checkout.remote(),
        "--level",
        "warning",
        "--fail-on",
        "error",
    ];
    checkout.supabase(&lint).await;

    // It would have found one.
    checkout
        .project
        .database
        .run("create function public.wrong() returns bigint language plpgsql as $$ begin return (select max(l.no_such_column) from public.leads l); end $$")
        .await;
    let found = checkout.try_supabase(&lint).await;
    assert_eq!(found.status, Some(1), "{found:?}");
    assert!(found.stdout.contains("no_such_column"), "{found:?}");
}
