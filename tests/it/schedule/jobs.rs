//! `schedule` and `unschedule`: the job, its errors, and what a run leaves.

use tokio_postgres::error::SqlState;

use crate::support::{CronServer, Database};

/// SQLSTATE, message and hint of a call that fails.
async fn error_of(database: &Database, call: &str) -> (SqlState, String, String) {
    let error = database.session().batch_execute(call).await.unwrap_err();
    let error = error.as_db_error().expect("the server answers");
    (
        error.code().clone(),
        error.message().to_owned(),
        error.hint().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_with_a_hint() {
    let database = Database::new().await;
    for (call, message) in [
        ("schedule(null)", "Falta o intervalo entre as execuções"),
        (
            "schedule('5 seconds', null)",
            "Duração máxima inválida: null segundos",
        ),
        (
            "schedule('5 seconds', 0)",
            "Duração máxima inválida: 0 segundos",
        ),
        (
            "schedule('5 seconds', 'NaN')",
            "Duração máxima inválida: NaN segundos",
        ),
        (
            "schedule('5 seconds', 3601)",
            "Duração máxima inválida: 3601 segundos",
        ),
        ("schedule()", "O pg_cron não está instalado neste banco"),
    ] {
        let (_, found, hint) = error_of(&database, &format!("select lead_mover.{call}")).await;
        assert_eq!(found, message);
        assert!(!hint.is_empty(), "{call}");
    }
    let (code, ..) = error_of(&database, "select lead_mover.schedule()").await;
    assert_eq!(code, SqlState::FEATURE_NOT_SUPPORTED);
    assert!(
        !database
            .value::<bool>("select lead_mover.unschedule()", &[])
            .await
    );
}

#[tokio::test]
async fn a_time_out_that_would_end_each_run_is_an_error() {
    let database = Database::new().await;
    database.set(&["statement_timeout = '20s'"]).await;
    let database = database.reopened().await;

    let (code, message, _) =
        error_of(&database, "select lead_mover.schedule('5 seconds', 20)").await;

    assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE);
    assert!(
        message.contains("statement_timeout é de 20000 ms"),
        "{message}"
    );
}

#[tokio::test]
async fn a_schedule_is_replaced_and_taken_back() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let database = &server.database;
    let jobs = "select coalesce(array_agg(schedule), '{}') from cron.job where active";
    for every in ["0 0 1 1 *", "0 0 2 1 *"] {
        database
            .run(&format!("select lead_mover.schedule('{every}')"))
            .await;
        assert_eq!(database.value::<Vec<String>>(jobs, &[]).await, [every]);
    }
    database.run("update cron.job set active = false").await;
    database
        .run("select lead_mover.schedule('0 0 3 1 *')")
        .await;
    assert_eq!(
        database.value::<Vec<String>>(jobs, &[]).await,
        ["0 0 3 1 *"]
    );
    let report = database.doctor_report().await;
    assert_eq!(
        report.check("service"),
        ("ok", "pg_cron works on the queue: 0 0 3 1 *", None)
    );

    for was_there in [true, false] {
        let answer: bool = database.value("select lead_mover.unschedule()", &[]).await;
        assert_eq!(answer, was_there);
    }
    assert_eq!(database.value::<Vec<String>>(jobs, &[]).await, [""; 0]);

    let (code, message, hint) = error_of(database, "select lead_mover.schedule('6 parsecs')").await;
    assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE);
    assert_eq!(message, "Intervalo inválido: 6 parsecs");
    assert!(hint.contains("'1 second'"), "{hint}");
    if !server.has_seconds().await {
        let (code, message, hint) = error_of(database, "select lead_mover.schedule()").await;
        assert_eq!(code, SqlState::FEATURE_NOT_SUPPORTED);
        assert!(
            message.ends_with("não aceita intervalos em segundos"),
            "{message}"
        );
        let call = hint.split(": ").last().expect("a call");
        database.run(call.trim_end_matches('.')).await;
    }
}

#[tokio::test]
async fn from_another_database_the_error_has_the_statement_that_works() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let other = server.server.database("other").await;
    let call = format!("select lead_mover.schedule('{}')", server.shortest().await);

    let (code, message, hint) = error_of(&other, &call).await;

    assert_eq!(code, SqlState::FEATURE_NOT_SUPPORTED);
    assert_eq!(
        message,
        "O pg_cron deste servidor só agenda a partir do banco crm"
    );
    let statement = hint.split_once("execute: ").expect("a statement").1;
    server.database.run(statement).await;
    let crm = other.crm().await;
    let run = crm.run_of(10).await;
    crm.enqueue(run).await;
    server
        .until("select exists (select from cron.job_run_details where status = 'succeeded')")
        .await;
    crm.completed(run).await;
}

#[tokio::test]
async fn a_run_that_ended_with_an_error_is_recorded_by_the_next() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let database = &server.database;
    let crm = database.crm().await;
    database
        .run("select lead_mover.schedule('0 0 1 1 *')")
        .await;
    let run = crm.run_of(3).await;
    crm.enqueue(run).await;
    for (status, text, attempts) in [
        ("succeeded", "DO", 0),
        ("failed", "connection failed", 0),
        (
            "failed",
            "ERROR:  canceling statement due to user request\n",
            0,
        ),
        (
            "failed",
            "ERROR:  only at the commit\nCONTEXT:  PL/pgSQL function\n",
            1,
        ),
    ] {
        database
            .session()
            .execute(
                "insert into cron.job_run_details (jobid, status, return_message, end_time)
                 select j.jobid, $1, $2, now() from cron.job j",
                &[&status, &text],
            )
            .await
            .expect("it is inserted");

        database
            .run("select lead_mover.begin_scheduled_run()")
            .await;

        let progress = crm.progress(run).await;
        assert_eq!(progress.get::<_, i32>("attempts"), attempts, "{text}");
    }
    let error: String = crm.progress(run).await.get("last_error");
    assert_eq!(error, "only at the commit");
}

#[tokio::test]
async fn old_rows_of_its_own_runs_are_deleted() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let database = &server.database;
    database
        .run("select lead_mover.schedule('0 0 1 1 *')")
        .await;
    database
        .run(
            "insert into cron.job_run_details (jobid, status, return_message, end_time)
             select j.jobid, kept.status, kept.text, now() - kept.age
             from cron.job j
             cross join (
               values
                 ('succeeded', 'old', interval '2 hours'), ('failed', 'old', interval '8 days'),
                 ('succeeded', 'kept', interval '1 minute'), ('failed', 'kept', interval '2 hours')
             ) as kept (status, text, age)
             union all
             select 0, 'succeeded', 'kept', now() - interval '1 year'",
        )
        .await;

    // It deletes in one of about a hundred runs.
    server
        .until(
            "select count(*) filter (where d.return_message = 'old') = 0
             from (select lead_mover.begin_scheduled_run() from generate_series(1, 100)) run
             cross join lateral (select run) r
             left join cron.job_run_details d on true",
        )
        .await;

    let kept: i64 = database
        .value(
            "select count(*) from cron.job_run_details where return_message = 'kept'",
            &[],
        )
        .await;
    assert_eq!(kept, 3);
}
