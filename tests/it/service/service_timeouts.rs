//! Time-outs that a role or a database sets: the real service gets its runs through all the same.

use uuid::Uuid;

use crate::moves::user_changes::counts;
use crate::support::{Database, Service, eventually};

#[tokio::test]
async fn the_service_gets_a_run_through_under_a_statement_timeout() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    // 5 ms a lead: 100 of them take longer than a statement may, 25 do not.
    database
        .run(
            "create function public.take_long() returns trigger language plpgsql as
             $$ begin perform pg_catalog.pg_sleep(0.005); return new; end $$;
             create trigger take_long before update on public.leads
             for each row execute function public.take_long()",
        )
        .await;
    database.set(&["statement_timeout = '250ms'"]).await;
    let service = Service::start(&database, &["--poll-interval", "1h"]).await;

    crm.enqueue(run).await;

    crm.completed(run).await;
    assert_eq!(counts(&crm, run).await, (100, 100, 0, 0));
    crm.check().await;
    assert_eq!(service.readyz().await.0, 200);
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn batches_grow_again_when_what_made_them_slow_is_over() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(400).await;
    crm.enqueue(run).await;
    database
        .run("update lead_mover.lanes set batch_size = 6, attempts = 4")
        .await;

    let moved: Vec<i32> = crm
        .process_all()
        .await
        .iter()
        .map(|batch| batch.leads_moved)
        .collect();

    assert_eq!(moved, [6, 12, 24, 48, 96, 100, 100, 14]);
    crm.check().await;
}

#[tokio::test]
async fn the_service_gets_a_run_through_under_a_lock_timeout() {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    let run = crm.run_of(5_000).await;
    database.set(&["lock_timeout = '1ms'"]).await;
    let person = database.open_as("person").await;
    person
        .execute("select set_config('lock_timeout', '0', false)", &[])
        .await
        .unwrap();
    let service = Service::start(&database, &["--poll-interval", "1h", "--workers", "4"]).await;

    crm.enqueue(run).await;
    let leads = crm.lead_ids(run).await;
    // A user locks leads in each lane again and again.
    for n in 0..20 {
        let some: Vec<Uuid> = leads.iter().skip(n).step_by(250).copied().collect();
        person.batch_execute("begin").await.unwrap();
        person
            .execute(
                "update public.leads set phone = phone where id = any ($1)",
                &[&some],
            )
            .await
            .expect("no deadlock");
        let before = crm.leads_at(run, crm.target).await;
        eventually("the others go on", async || {
            let moved = crm.leads_at(run, crm.target).await;
            moved > before || moved >= 4_980
        })
        .await;
        person.batch_execute("commit").await.unwrap();
    }

    crm.completed(run).await;
    assert_eq!(counts(&crm, run).await, (5_000, 5_000, 0, 0));
    database.check_writes(100).await;
    crm.check().await;
    assert_eq!(
        service.count_logged("database not reached; trying again"),
        0,
        "workers in each other's way are not out of reach: {:?}",
        service.log()
    );
    assert_eq!(service.stop().await, Some(0));
}
