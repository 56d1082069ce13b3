//! Leads that an application has locked, in a run of several lanes that the real service moves.

use uuid::Uuid;

use crate::support::{Database, Service, eventually};

/// 2 500 leads are three lanes, which begin at 0, 1 000 and 2 000.
const LEADS: usize = 2_500;

async fn locked_leads_are_moved_once_unlocked(position: usize) {
    let database = Database::new().await;
    database.note_writes().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    let leads = crm.lead_ids(run).await;
    let locked: &[Uuid] = &leads[position..position + 3];
    let user = database.open_as("person").await;
    user.batch_execute("begin; set local lock_timeout = '10s'")
        .await
        .unwrap();
    let lock = "update public.leads set phone = phone where id = any ($1)";
    assert_eq!(user.execute(lock, &[&locked]).await.unwrap(), 3);
    let arguments = ["--poll-interval", "1h", "--workers", "4"];
    let service = Service::start(&database, &arguments).await;

    assert_eq!(crm.enqueue(run).await["total"], LEADS);
    eventually("all but the locked leads are moved", async || {
        crm.leads_at(run, crm.target).await == 2_497
    })
    .await;

    // The user's transaction does not end, so a session that waits for one of their leads would be seen waiting.
    eventually("the lanes have ended", async || {
        let ended = "select count(*) from lead_mover.lanes where next_id is null";
        database.value::<i64>(ended, &[]).await == 3
    })
    .await;
    assert_eq!(database.waiting().await, 0);
    let elsewhere: Vec<Uuid> = leads
        .iter()
        .filter(|lead| !locked.contains(*lead))
        .step_by(100)
        .copied()
        .collect();
    user.execute(lock, &[&elsewhere])
        .await
        .expect("no lock is left on what has been moved");
    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "processing");
    assert_eq!(progress.get::<_, i64>("moved"), 2_497);
    assert_eq!(progress.get::<_, i64>("remaining"), 3);
    crm.check().await;

    user.batch_execute("commit").await.unwrap();
    crm.completed(run).await;
    assert_eq!(crm.leads_at(run, crm.target).await, 2_500);
    assert_eq!(crm.progress(run).await.get::<_, i64>("moved"), 2_500);
    database.check_writes(100).await;
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}

#[tokio::test]
async fn leads_locked_at_the_head_of_the_first_lane_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(0).await;
}

#[tokio::test]
async fn leads_locked_where_two_lanes_meet_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(998).await;
}

#[tokio::test]
async fn leads_locked_at_the_tail_of_the_last_lane_are_moved_once_unlocked() {
    locked_leads_are_moved_once_unlocked(LEADS - 3).await;
}
