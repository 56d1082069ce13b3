//! Every function by `supabase.rpc`, as each of the API's roles.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::process::Command;

use super::api::{Api, token};
use super::project::{OWNER, Project};
use crate::support::{Database, Target, command, finish};

const SUBJECT: &str = "00000000-0000-0000-0000-000000000101";

/// A project with the lead mover in it, installed by its owner, and a run of 250 leads.
struct Installed {
    project: Project,
    api: Api,
    run: String,
    target: Target,
}

impl Installed {
    async fn new() -> Self {
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

    fn database(&self) -> &Database {
        &self.project.database
    }

    /// What the client gets for those calls: `data`, `error` and `status` of each.
    async fn call(&self, role: &str, calls: &[(&str, Value)]) -> Vec<Value> {
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
                &token(role, SUBJECT),
                &json!(calls).to_string(),
            ])
            .output()
            .await
            .expect("node runs; scripts/setup installs it, and the client");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn to_target(&self) -> Value {
        json!({ "p_run_id": self.run, "p_funnel_id": self.target.funnel, "p_column_id": self.target.column })
    }

    /// Every function in public of the lead mover, with a value for each parameter that has no default.
    async fn functions(&self) -> BTreeMap<String, Value> {
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

    async fn may_call(&self, role: &str, function: &str) -> bool {
        self.database()
            .value(
                "select has_function_privilege($1::text, p.oid, 'execute') from pg_proc p
                 where p.pronamespace = 'public'::regnamespace and p.proname = $2::text",
                &[&role, &function],
            )
            .await
    }
}

#[tokio::test]
async fn service_role_may_call_every_function_and_others_only_what_is_open_to_them() {
    let installed = Installed::new().await;
    let functions = installed.functions().await;
    assert!(functions.len() >= 9, "{functions:?}");
    let calls: Vec<(&str, Value)> = functions
        .iter()
        .map(|(name, parameters)| (name.as_str(), parameters.clone()))
        .collect();
    for role in ["anon", "authenticated", "service_role"] {
        let answers = installed.call(role, &calls).await;
        for ((name, _), answer) in calls.iter().zip(answers) {
            let is_open = installed.may_call(role, name).await;
            assert_eq!(is_open, role == "service_role", "{role}: {name}");
            let error = &answer["error"]["code"];
            if is_open {
                // Some find nothing to do: a move that is not there, or not in that state.
                let code = error.as_str().unwrap_or("LM");
                assert!(code.starts_with("LM"), "{role}: {name}: {answer}");
            } else {
                assert_eq!(error, "42501", "{role}: {name}: {answer}");
                let status = if role == "anon" { 401 } else { 403 };
                assert_eq!(answer["status"], status, "{role}: {name}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn service_role_queues_moves_and_sees_results_and_errors_as_documented() {
    let installed = Installed::new().await;
    let unknown = json!({ "p_run_id": "00000000-0000-0000-0000-00000000dead", "p_funnel_id": null, "p_column_id": null });
    let invalid = json!({ "p_run_id": "x" });
    let answers = installed
        .call(
            "service_role",
            &[
                ("queue_lead_migration", installed.to_target()),
                ("process_lead_migration_batch", json!({})),
                (
                    "get_lead_migration_progress",
                    json!({ "p_run_id": installed.run }),
                ),
                ("get_lead_migration_queue_status", json!({})),
                (
                    "cancel_lead_migration",
                    json!({ "p_run_id": installed.run }),
                ),
                ("queue_lead_migration", unknown),
                ("cancel_lead_migration", invalid),
            ],
        )
        .await;

    let [queued, batch, progress, queue, cancelled, unknown, invalid] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!(queued["data"]["total"], 250, "{queued}");
    assert_eq!(batch["data"][0]["leads_moved"], 100, "{batch}");
    assert_eq!(progress["data"][0]["remaining"], 150, "{progress}");
    assert_eq!(
        queue["data"][0]["queue_name"], "lead_migration_queue",
        "{queue}"
    );
    assert_eq!(cancelled["data"]["leads_moved"], 100, "{cancelled}");
    assert_eq!(unknown["status"], 400, "{unknown}");
    assert_eq!(unknown["error"]["code"], "LM001", "{unknown}");
    for part in ["message", "hint"] {
        assert!(unknown["error"][part].is_string(), "{unknown}");
    }
    assert_eq!(invalid["error"]["code"], "22P02", "{invalid}");
}

/// That the stand-in does what PostgREST does before a call.
#[tokio::test]
async fn each_role_calls_with_its_claims_and_its_own_time_out() {
    let installed = Installed::new().await;
    installed
        .database()
        .run(
            "create function public.who_calls() returns jsonb language sql as $$
               select jsonb_build_array(
                 current_user, session_user, current_setting('statement_timeout'),
                 current_setting('request.jwt.claims')::jsonb ->> 'sub'
               )
             $$;
             grant execute on function public.who_calls() to anon, authenticated, service_role",
        )
        .await;
    for (role, timeout) in [
        ("anon", "3s"),
        ("authenticated", "8s"),
        ("service_role", "8s"),
    ] {
        let answers = installed.call(role, &[("who_calls", json!({}))]).await;
        assert_eq!(
            answers[0]["data"],
            json!([role, "authenticator", timeout, SUBJECT]),
            "{answers:?}"
        );
    }
}
