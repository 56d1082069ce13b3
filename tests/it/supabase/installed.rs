//! A project that the lead mover is installed in, and calls by Supabase's own client.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::process::Command;

use super::api::{Api, token};
use super::project::{OWNER, Project};
use crate::support::{Database, Target, command, finish};

/// The subject of the tokens.
pub(super) const SUBJECT: &str = "00000000-0000-0000-0000-000000000101";

/// A project with the lead mover in it, installed by its owner, and a run of 250 leads.
pub(super) struct Installed {
    project: Project,
    api: Api,
    pub(super) run: String,
    target: Target,
}

impl Installed {
    pub(super) async fn new() -> Self {
        let project = Project::start().await;
        let migrated = finish(
            command(&["migrate", "--example-schema"])
                .env("DATABASE_URL", project.connection_string(OWNER)),
        )
        .await;
        assert_eq!(migrated.status, Some(0), "{migrated:?}");
        let crm = project.database.crm().await;
        let run = crm.run_of(250).await.to_string();
        let target = crm.target;
        let api = Api::of(&project).await;
        Self {
            project,
            api,
            run,
            target,
        }
    }

    pub(super) fn database(&self) -> &Database {
        &self.project.database
    }

    /// What the client gets for those calls: `data`, `error` and `status` of each.
    pub(super) async fn call(&self, role: &str, calls: &[(&str, Value)]) -> Vec<Value> {
        self.call_as(role, SUBJECT, calls).await
    }

    /// The same with a token of that subject's.
    pub(super) async fn call_as(
        &self,
        role: &str,
        subject: &str,
        calls: &[(&str, Value)],
    ) -> Vec<Value> {
        let calls: Vec<Value> = calls
            .iter()
            .map(|(name, parameters)| json!({ "name": name, "parameters": parameters }))
            .collect();
        let output = Command::new("node")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/supabase-js/rpc.mjs"
            ))
            .args([
                self.api.address(),
                &token(role, subject),
                &json!(calls).to_string(),
            ])
            .output()
            .await
            .expect("node runs; scripts/setup installs it, and the client");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(super) fn to_target(&self) -> Value {
        json!({ "p_run_id": self.run, "p_funnel_id": self.target.funnel, "p_column_id": self.target.column })
    }

    /// Every function in public of the lead mover, with a value for each parameter that has no default.
    pub(super) async fn functions(&self) -> BTreeMap<String, Value> {
        let rows = self
            .database()
            .session()
            .query(
                "select p.proname::text, coalesce(p.proargnames[:p.pronargs - p.pronargdefaults], '{}')
                 from pg_proc p
                 join lead_mover.schema_files f on f.path = format('functions/public/%s.sql', p.proname)
                 where p.pronamespace = 'public'::regnamespace",
                &[],
            )
            .await
            .expect("the server answers");
        rows.iter()
            .map(|row| {
                let names: Vec<String> = row.get(1);
                let values = names.into_iter().map(|name| {
                    let value = match name.as_str() {
                        "p_run_id" => json!(self.run),
                        "p_funnel_id" => json!(self.target.funnel),
                        "p_column_id" => json!(self.target.column),
                        "p_migration_id" => json!(1),
                        "p_action" => json!("pause"),
                        "p_not_before" => json!("2000-01-01T00:00:00Z"),
                        other => panic!("{other} is new: which value does it take?"),
                    };
                    (name, value)
                });
                (row.get(0), Value::Object(values.collect()))
            })
            .collect()
    }

    pub(super) async fn may_call(&self, role: &str, function: &str) -> bool {
        self.database()
            .value(
                "select has_function_privilege($1::text, p.oid, 'execute') from pg_proc p
                 where p.pronamespace = 'public'::regnamespace and p.proname = $2::text",
                &[&role, &function],
            )
            .await
    }
}
