//! Leads that a real `pg_cron` moves, alone and beside the service.

use crate::support::{Crm, CronServer, Service};

const LEADS: i32 = 10_000;

/// How many transactions moved the leads of that run, and the most leads that one of them moved. The leads' `xmin`
/// would not tell: it is that of the subtransaction of each batch.
async fn transactions(crm: &Crm<'_>, server: &CronServer, run: uuid::Uuid) -> (i64, i64) {
    assert_eq!(crm.leads_at(run, crm.target).await, i64::from(LEADS));
    let query = "select count(*), max(t.leads)
         from (select count(*) as leads from public.writes where run_id = $1 group by by_transaction) t";
    let row = server
        .database
        .session()
        .query_one(query, &[&run])
        .await
        .expect(query);
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn pg_cron_alone_moves_ten_thousand_leads_within_ten_seconds_a_batch_a_transaction() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let database = &server.database;
    let crm = database.crm().await;
    database.note_writes().await;
    let run = crm.run_of(LEADS).await;
    let every = server.shortest().await;
    database
        .run(&format!("select lead_mover.schedule('{every}')"))
        .await;
    crm.enqueue(run).await;

    server
        .until("select exists (select from lead_mover.moves where status = 'completed')")
        .await;

    assert_eq!(transactions(&crm, &server, run).await, (100, 100));
    // A schedule of minutes begins some time in the next minute.
    let seconds: f64 = database
        .value(
            "select extract(epoch from m.finished_at - case when $1 then m.queued_at else m.started_at end)::float8
             from lead_mover.moves m",
            &[&server.has_seconds().await],
        )
        .await;
    println!("{LEADS} leads by pg_cron alone ({every}): {seconds:.2} s");
    assert!(seconds < 10.0, "{seconds} s");
    server
        .until("select exists (select from cron.job_run_details where status = 'succeeded')")
        .await;
    let failed: i64 = database
        .value(
            "select count(*) from cron.job_run_details where status = 'failed'",
            &[],
        )
        .await;
    assert_eq!(failed, 0);
    crm.check().await;
}

#[tokio::test]
async fn the_service_beside_it_is_safe() {
    let Some(server) = CronServer::start().await else {
        return;
    };
    let database = &server.database;
    let crm = database.crm().await;
    database.note_writes().await;
    let run = crm.run_of(LEADS).await;
    let every = server.shortest().await;
    let service = Service::start(database, &["--workers", "1"]).await;
    database
        .run(&format!("select lead_mover.schedule('{every}')"))
        .await;
    // The schedule is at work on another move when this one is queued.
    let first = crm.run_of(10).await;
    crm.enqueue(first).await;
    server
        .until("select exists (select from cron.job_run_details)")
        .await;
    crm.enqueue(run).await;

    crm.completed(run).await;

    assert_eq!(transactions(&crm, &server, run).await, (100, 100));
    database.check_writes(100).await;
    crm.check().await;
    drop(service);
}
