//! `lead-mover doctor` on the moves: those that nothing works on, and those that have failed.

use serde_json::Value;

use crate::support::{Database, DoctorReport};

const SEND_AGAIN: &str = "run: lead-mover migrate (it sends the messages again)";

#[tokio::test]
async fn an_active_move_without_a_message_is_a_failure_until_migrate_sends_it_again() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    crm.enqueue(run).await;
    crm.process().await;
    database.doctor_report().await.assert_all_pass();
    for damage in [
        "select pgmq.purge_queue('lead_migration_queue')",
        "update pgmq.q_lead_migration_queue set vt = now() + interval '1 hour'",
    ] {
        database.run(damage).await;

        let report = database.doctor_report().await;

        report.assert_failure("moves", SEND_AGAIN);
        assert_eq!(
            report.check("moves").1,
            "1 active moves have no message in the queue, or one that is due too late"
        );
        assert_eq!(database.migrate(&[]).await.status, Some(0));
        database.doctor_report().await.assert_all_pass();
    }
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn a_role_that_may_take_no_samples_sees_the_moves_that_failed() {
    let database = Database::new().await;
    database
        .run(
            "select lead_mover.open_to('lead_mover_stranger', array['progress'], p_all_runs => true);
             grant select on lead_mover.schema_files to lead_mover_stranger",
        )
        .await;
    let url = format!(
        "{} options='-c role=lead_mover_stranger'",
        database.connection_string()
    );

    let report = DoctorReport::of(&url, &[]).await;

    assert_eq!(report.check("moves").0, "ok", "{:?}", report.check("moves"));
    assert_eq!(report.check("grants").0, "failure");
}

#[tokio::test]
async fn an_older_function_for_samples_is_no_error() {
    let database = Database::new().await;
    database
        .run(
            "drop function lead_mover.sample();
             create function lead_mover.sample() returns table (queue_depth bigint)
             language sql as 'select 0::bigint'",
        )
        .await;

    let report = database.doctor_report().await;

    assert_eq!(report.check("moves").0, "ok", "{:?}", report.check("moves"));
}

#[tokio::test]
async fn a_run_whose_last_move_failed_is_a_warning_until_it_is_retried() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    crm.enqueue(run).await;
    database
        .run(
            "create function public.no() returns trigger language plpgsql as
             $$ begin raise exception 'no' using errcode = '23514'; end $$;
             create trigger no before update on public.leads for each row execute function public.no()",
        )
        .await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "failed");

    let report = database.doctor_report().await;

    assert_eq!(report.status, Some(0));
    let advice =
        format!("see lead-mover status for the causes, fix them, and run: lead-mover retry {run}");
    assert_eq!(
        report.check("moves"),
        (
            "warning",
            "the last move of 1 runs has failed",
            Some(advice.as_str())
        )
    );
    database.run("drop trigger no on public.leads").await;
    let answer: Value = crm.control("retry_lead_migration", run).await;
    assert_eq!(answer["success"], true);
    crm.process_all().await;
    database.doctor_report().await.assert_all_pass();
}
