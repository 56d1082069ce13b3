//! What works on the queue, and what Realtime sends of the leads. A schedule is looked for in `schedule::jobs`.

use crate::support::{Database, Service};

#[tokio::test]
async fn it_says_when_nothing_works_on_the_queue() {
    let database = Database::new().await;

    let report = database.doctor_report().await;

    assert_eq!(report.status, Some(0), "a warning");
    assert_eq!(
        report.check("service"),
        (
            "warning",
            "no service works on the queue, and no schedule of pg_cron that this role can see",
            Some(
                "start the service (lead-mover serve), or, where there is no place for one, run: \
                 select lead_mover.schedule();"
            )
        )
    );
    let _service = Service::start(&database, &["--workers", "3"]).await;
    let report = database.doctor_report().await;
    assert_eq!(
        report.check("service"),
        ("ok", "3 workers of a service work on the queue", None)
    );
}

#[tokio::test]
async fn leads_that_are_published_to_realtime_are_a_warning() {
    let database = Database::new().await;
    database
        .run(
            "create publication supabase_realtime for table public.leads, public.runs;
             create publication another for all tables",
        )
        .await;

    let report = database.doctor_report().await;

    let (status, found, advice) = report.check("realtime");
    assert_eq!(status, "warning");
    assert!(
        found.contains("public.leads is in supabase_realtime"),
        "{found}"
    );
    let statement = advice.expect("something to do").split("run: ").last();
    database.run(statement.expect("a statement")).await;
    database.doctor_report().await.assert_all_pass();
}
