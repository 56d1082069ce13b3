//! Two services, users and applications at the same time, while the ledger is compared with the writes.
//!
//! Who does what when is left to chance; what must be true at every instant is not. Each of them ends after
//! a number of deeds, and the test when the last move has ended.

mod cancels;
mod crowd;
mod lead_history;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Crm, Database, Service, enqueue_in, eventually};
use crowd::{Crowd, USERS};
use lead_history::LeadHistory;

const BATCH_SIZE: i32 = 20;

/// Small and large, of one lane and of several.
const RUNS: [i32; 5] = [3_100, 1_200, 500, 150, 30];

/// Queues all runs, lets two services and a crowd at them, and waits for the end of all moves.
async fn everybody_at_once(database: &Database, crm: &Crm<'_>, with_operators: bool) -> Vec<Uuid> {
    database.note_writes().await;
    let mut runs = Vec::new();
    for leads in RUNS {
        runs.push(crm.run_of(leads).await);
    }
    let crowd = Crowd::new(crm, &runs).await;
    let bystanders = crm.run_of(300).await;
    let before = untouched(database, bystanders).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut history = JoinSet::new();
    {
        let (looking, over) = (LeadHistory::new(database).await, Arc::clone(&over));
        history.spawn(async move { looking.watch(&over).await });
    }
    let arguments = ["--poll-interval", "1s"];
    let services = [
        Service::start(database, &arguments).await,
        Service::start(database, &arguments).await,
    ];

    for run in &runs {
        let session = database.session();
        enqueue_in(session, *run, crm.target, Some(BATCH_SIZE))
            .await
            .expect("it is queued");
    }
    let mut users = JoinSet::new();
    for number in 0..USERS {
        users.spawn(crowd.person(database.open_as("person").await, number));
    }
    if with_operators {
        for number in 0..2 {
            users.spawn(crowd.operator(database.open().await, number));
        }
    }
    while let Some(person) = users.join_next().await {
        person.expect("nobody is told of an error");
    }
    for run in &runs {
        crm.control("resume_lead_migration", *run).await;
    }
    eventually("all moves have ended", async || {
        let active = "select count(*) from lead_mover.moves where finished_at is null";
        database.value::<i64>(active, &[]).await == 0
    })
    .await;
    over.store(true, Ordering::Relaxed);

    let seen = history.join_next().await.expect("there is one");
    let looks = seen.expect("what it saw agrees");
    assert!(looks >= 3, "{looks} looks are not enough to see anything");
    assert_eq!(untouched(database, bystanders).await, before);
    assert_eq!(crm.queue_length().await, 0);
    database.check_writes(i64::from(BATCH_SIZE)).await;
    crm.check().await;
    for service in services {
        assert_eq!(service.readyz().await.0, 200);
        assert_eq!(
            service.count_logged("database not reached; trying again"),
            0
        );
        assert_eq!(service.stop().await, Some(0));
    }
    runs
}

/// Every byte of the leads of a run that nobody moves.
async fn untouched(database: &Database, run: Uuid) -> Vec<String> {
    database
        .value(
            "select array_agg(xmin::text || l::text order by id) from public.leads l where run_id = $1",
            &[&run],
        )
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amid_users_who_lock_move_add_and_delete_leads_every_move_is_completed() {
    let database = Database::new().await;
    let crm = database.crm().await;

    let runs = everybody_at_once(&database, &crm, false).await;

    for run in runs {
        assert_eq!(crm.status(run).await, "completed");
        let progress = crm.progress(run).await;
        let (moved, rejected): (i64, i64) = (progress.get("moved"), progress.get("rejected"));
        let written: i64 = database
            .value(
                "select count(*) from public.writes where run_id = $1 and who <> 'person'",
                &[&run],
            )
            .await;
        assert_eq!((moved, rejected), (written, 0));
        // Promise 3: at the target, moved on by a person after we moved it, or added behind us.
        let left: i64 = database
            .value(
                "select count(*) from public.leads l
                 where l.run_id = $1 and l.column_id is distinct from $2 and l.name like 'Lead %'
                   and not exists (
                     select from public.writes w where w.lead_id = l.id and w.column_id = $2
                   )",
                &[&run, &crm.target.column],
            )
            .await;
        assert_eq!(left, 0, "leads were left behind");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amid_pauses_resumes_cancels_and_retries_too_the_ledger_agrees_at_every_instant() {
    let database = Database::new().await;
    let crm = database.crm().await;

    let runs = everybody_at_once(&database, &crm, true).await;

    for run in runs {
        let statuses: Vec<String> = database
            .value(
                "select array_agg(distinct status) from public.get_lead_migration_progress($1)",
                &[&run],
            )
            .await;
        assert!(
            statuses
                .iter()
                .all(|status| status == "completed" || status == "cancelled"),
            "{statuses:?}"
        );
        let agree: bool = database
            .value(
                "select sum(p.moved) = (
                   select count(*) from public.writes where run_id = $1 and who <> 'person'
                 ) from public.get_lead_migration_progress($1) p",
                &[&run],
            )
            .await;
        assert!(agree, "the moves' counts and the writes");
    }
}
