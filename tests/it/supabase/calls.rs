//! Every function by `supabase.rpc`, as each of the API's roles.

use serde_json::{Value, json};

use super::installed::{Installed, SUBJECT};
use super::project::OWNER;

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

#[tokio::test]
async fn a_user_may_do_what_row_level_security_lets_them_once_that_is_open() {
    let installed = Installed::new().await;
    if !installed.database().has_invoker_views().await {
        return;
    }
    installed
        .database()
        .run(&format!(
            "set role {OWNER};
             alter table public.leads enable row level security;
             alter table public.runs enable row level security;
             create policy own on public.leads to authenticated
               using (current_setting('request.jwt.claims', true)::jsonb ->> 'sub' = '{SUBJECT}');
             create policy own on public.runs to authenticated
               using (current_setting('request.jwt.claims', true)::jsonb ->> 'sub' = '{SUBJECT}');
             grant select, update on public.leads to authenticated;
             grant select on public.runs, public.columns to authenticated;
             select lead_mover.open_to('authenticated');
             reset role"
        ))
        .await;
    let calls = [
        ("queue_lead_migration", installed.to_target()),
        ("get_lead_migration_progress", json!({})),
        ("process_lead_migration_batch", json!({})),
    ];
    let stranger = "00000000-0000-0000-0000-000000000102";

    let of_user = installed.call("authenticated", &calls).await;
    let of_stranger = installed.call_as("authenticated", stranger, &calls).await;

    assert_eq!(of_user[0]["data"]["total"], 250, "{of_user:?}");
    assert_eq!(of_user[1]["data"][0]["total"], 250, "{of_user:?}");
    assert_eq!(of_stranger[0]["error"]["code"], "LM001", "{of_stranger:?}");
    assert_eq!(of_stranger[1]["data"], json!([]), "{of_stranger:?}");
    for answers in [of_user, of_stranger] {
        assert_eq!(answers[2]["error"]["code"], "42501", "{answers:?}");
    }
}
