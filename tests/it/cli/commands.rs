//! The commands, as their users run them: what they print and how they end.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, Finished, Service, Target, command, finish};

/// The command on that database.
async fn try_run(database: &Database, arguments: &[&str]) -> Finished {
    finish(command(arguments).env("DATABASE_URL", database.connection_string())).await
}

/// The same; it must succeed, and print nothing on stderr.
async fn run(database: &Database, arguments: &[&str]) -> String {
    let finished = try_run(database, arguments).await;
    assert_eq!(finished.status, Some(0), "{arguments:?}: {finished:?}");
    assert_eq!(finished.stderr, "");
    finished.stdout
}

async fn run_for_json(database: &Database, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    serde_json::from_str(&run(database, &arguments).await).expect("JSON")
}

fn enqueue_arguments(run: Uuid, target: Target) -> [String; 4] {
    [
        "enqueue".to_owned(),
        run.to_string(),
        target.funnel.to_string(),
        target.column.to_string(),
    ]
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn a_user_can_queue_look_pause_resume_and_cancel() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(250).await;
    let (id, enqueue) = (run_id.to_string(), enqueue_arguments(run_id, crm.target));

    assert_eq!(run(&database, &["status"]).await, "no moves\n");
    assert_eq!(
        run(&database, &borrowed(&enqueue)).await,
        "Movimentação enfileirada: 250 leads serão movidos\n"
    );
    crm.process().await;
    let status = run(&database, &["status", &id]).await;
    for part in [
        "Restaurantes - 10/12/2025 09:07",
        "40.0%",
        "100/250",
        "processing",
    ] {
        assert!(status.contains(part), "{status}");
    }
    assert_eq!(status.lines().count(), 1);

    let paused = run(&database, &["pause", &id]).await;
    assert_eq!(
        paused,
        "Movimentação pausada: 100 leads movidos, 150 restantes\n"
    );
    assert_eq!(crm.status(run_id).await, "paused");
    run(&database, &["resume", &id]).await;
    assert_eq!(crm.status(run_id).await, "processing");
    let cancelled = run(&database, &["cancel", &id]).await;
    assert_eq!(
        cancelled,
        "Movimentação cancelada: 100 leads movidos, 150 restantes\n"
    );
    assert_eq!(crm.status(run_id).await, "cancelled");
    assert!(
        run(&database, &["status", "--watch"])
            .await
            .contains("cancelled")
    );
}

#[tokio::test]
async fn retry_moves_the_rest_of_a_move_that_has_failed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(3).await;
    crm.enqueue(run_id).await;
    database
        .run(
            "create function public.no() returns trigger language plpgsql as
             $$ begin raise exception 'no' using errcode = '23514'; end $$;
             create trigger no before update on public.leads for each row execute function public.no()",
        )
        .await;
    crm.process_all().await;
    assert_eq!(crm.status(run_id).await, "failed");
    database.run("drop trigger no on public.leads").await;

    let answer = run_for_json(&database, &["retry", &run_id.to_string()]).await;

    assert_eq!(answer["total"], 3, "{answer}");
    crm.process_all().await;
    assert_eq!(crm.status(run_id).await, "completed");
}

#[tokio::test]
async fn as_json_they_print_what_the_sql_functions_return() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run_id, other_run) = (crm.run_of(250).await, crm.run_of(250).await);
    let (id, enqueue) = (run_id.to_string(), enqueue_arguments(run_id, crm.target));

    let queued = run_for_json(&database, &borrowed(&enqueue)).await;
    assert_eq!(queued, crm.enqueue(run_id).await);
    crm.enqueue(other_run).await;
    crm.process_all().await;

    let status = run_for_json(&database, &["status"]).await;
    let rows: Value = database
        .value(
            "select jsonb_agg(to_jsonb(p)) from public.get_lead_migration_progress() p",
            &[],
        )
        .await;
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    assert_eq!(in_one_notation(status.clone()), in_one_notation(rows));
    let one = run_for_json(&database, &["status", &id]).await;
    assert_eq!(one, json!([status[1]]));

    // A second run in the same state has the same result, except for its ids.
    crm.add_leads(run_id, 150).await;
    crm.add_leads(other_run, 150).await;
    for queued in [run_id, other_run] {
        crm.enqueue(queued).await;
    }
    for (name, function) in [
        ("pause", "pause_lead_migration"),
        ("resume", "resume_lead_migration"),
        ("cancel", "cancel_lead_migration"),
        ("cancel", "cancel_lead_migration"),
    ] {
        let mut printed = run_for_json(&database, &[name, &id]).await;
        let mut returned = crm.control(function, other_run).await;
        assert_eq!(printed["run_id"], json!(run_id));
        for answer in [&mut printed, &mut returned] {
            let answer = answer.as_object_mut().expect("an object");
            for id in ["run_id", "migration_id"] {
                answer.remove(id);
            }
        }
        assert_eq!(printed, returned, "{name}");
    }
}

/// Timestamps are one instant however they are written, and numbers one value.
fn in_one_notation(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(in_one_notation).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, in_one_notation(value)))
            .collect(),
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(instant) => json!(instant),
            Err(_) => Value::String(text),
        },
        Value::Number(number) => json!(number.as_f64()),
        value => value,
    }
}

#[tokio::test]
async fn enqueue_and_wait_ends_when_the_service_has_moved_the_last_lead() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(478).await;
    let _service = Service::start(&database, &[]).await;
    let mut arguments = enqueue_arguments(run_id, crm.target).to_vec();
    arguments.push("--wait".to_owned());

    let printed = run(&database, &borrowed(&arguments)).await;

    assert_eq!(crm.status(run_id).await, "completed");
    assert_eq!(crm.leads_at(run_id, crm.target).await, 478);
    let last = printed.lines().last().expect("a line");
    assert!(last.contains("100.0%  478/478  completed"), "{printed}");
}

#[tokio::test]
async fn enqueue_and_wait_fails_when_leads_were_rejected() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run_id = crm.run_of(5).await;
    database
        .run(&format!(
            "alter table public.leads add check (name <> 'Lead 3' or column_id <> '{}')",
            crm.target.column
        ))
        .await;
    let _service = Service::start(&database, &[]).await;
    let mut arguments = enqueue_arguments(run_id, crm.target).to_vec();
    arguments.extend(["--wait".to_owned(), "--json".to_owned()]);

    let failed = try_run(&database, &borrowed(&arguments)).await;

    assert_eq!(failed.status, Some(1), "{failed:?}");
    let last: Value = serde_json::from_str(failed.stdout.lines().last().expect("a line")).unwrap();
    assert_eq!(last[0]["status"], "completed_with_errors");
    assert_eq!(
        (&last[0]["moved"], &last[0]["rejected"]),
        (&json!(4), &json!(1))
    );
}

#[tokio::test]
async fn completions_are_printed_for_each_shell() {
    for (shell, expected) in [
        ("bash", "complete -F _lead__mover"),
        ("zsh", "#compdef lead-mover"),
        ("fish", "complete -c lead-mover"),
    ] {
        let printed = finish(&mut command(&["completions", shell])).await;

        assert_eq!(printed.status, Some(0), "{shell}: {}", printed.stderr);
        assert!(printed.stdout.contains(expected), "{shell}");
    }
}
