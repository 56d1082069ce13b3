//! What users do to leads, and to the target, while a move is on its way.

use uuid::Uuid;

use super::user_locks::lock;
use crate::support::{Crm, Database, Target};

pub(crate) async fn put(database: &Database, leads: &[Uuid], target: Target) {
    let put = database
        .session()
        .execute(
            "update public.leads set funnel_id = $2, column_id = $3 where id = any ($1)",
            &[&leads, &target.funnel, &target.column],
        )
        .await
        .unwrap();
    assert_eq!(put, leads.len() as u64);
}

/// The counts of the run's newest move: total, moved, remaining, rejected.
pub(crate) async fn counts(crm: &Crm<'_>, run: Uuid) -> (i64, i64, i64, i64) {
    let progress = crm.progress(run).await;
    (
        progress.get("total"),
        progress.get("moved"),
        progress.get("remaining"),
        progress.get("rejected"),
    )
}

/// With a locked lead in its way, a batch takes the slow path.
#[tokio::test]
async fn a_lead_that_a_user_moved_on_after_its_batch_stays_there() {
    for locked in [0_u8, 1] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        let elsewhere = crm.another_target().await;
        crm.enqueue(run).await;
        crm.process().await;
        let leads = crm.lead_ids(run).await;
        put(&database, &leads[10..15], elsewhere).await;
        let user = database.open().await;
        lock(&user, &leads[150..150 + usize::from(locked)]).await;

        let batch = crm.process().await.expect("it is due");

        assert_eq!(batch.leads_moved, 100 - i32::from(locked));
        user.batch_execute("rollback").await.unwrap();
        crm.process_to_the_end().await;
        assert_eq!(crm.status(run).await, "completed");
        assert_eq!(counts(&crm, run).await, (250, 250, 0, 0));
        assert_eq!(crm.leads_at(run, elsewhere).await, 5);
        assert_eq!(crm.leads_at(run, crm.target).await, 245);
        crm.check().await;
    }
}

#[tokio::test]
async fn a_lead_that_a_user_put_at_the_target_before_its_turn_is_not_written() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process().await;
    let leads = crm.lead_ids(run).await;
    put(&database, &[leads[120], leads[249]], crm.target).await;
    let versions = "select array_agg(xmin::text) from public.leads where id = any ($1)";
    let placed: &[Uuid] = &[leads[120], leads[249]];
    let written: Vec<String> = database.value(versions, &[&placed]).await;

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (250, 248, 0, 0));
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    assert_eq!(
        database.value::<Vec<String>>(versions, &[&placed]).await,
        written
    );
    crm.check().await;
}

#[tokio::test]
async fn leads_deleted_before_their_turn_are_gone_and_the_counts_add_up() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process().await;
    let leads = crm.lead_ids(run).await;
    for deleted in [&leads[..5], &leads[100..103], &leads[247..]] {
        database
            .session()
            .execute("delete from public.leads where id = any ($1)", &[&deleted])
            .await
            .unwrap();
    }

    let batches = crm.process_all().await;

    assert_eq!(batches.last().expect("a batch").leads_remaining, 0);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (250, 244, 0, 0));
    assert_eq!(crm.leads_at(run, crm.target).await, 250 - 11);
    crm.check().await;
}

#[tokio::test]
async fn a_move_all_of_whose_leads_are_deleted_completes() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    database.run("delete from public.leads").await;

    let batches = crm.process_all().await;

    assert_eq!(batches.len(), 1);
    assert!(batches[0].success);
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (250, 0, 0, 0));
    crm.check().await;
}

#[tokio::test]
async fn leads_taken_out_of_the_run_stay_where_they_are() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (run, other) = (crm.run_of(150).await, crm.run_of(1).await);
    crm.enqueue(run).await;
    database
        .session()
        .execute(
            "update public.leads set run_id = $1
             where id in (select id from public.leads where run_id = $2 order by id desc limit 4)",
            &[&other, &run],
        )
        .await
        .unwrap();

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (150, 146, 0, 0));
    assert_eq!(crm.leads_at(other, crm.inbox).await, 5);
    crm.check().await;
}

#[tokio::test]
async fn leads_added_meanwhile_never_block_the_end() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    crm.enqueue(run).await;

    let mut batches = 0;
    while let Some(batch) = crm.process().await {
        assert!(batch.success, "{}", batch.error_message);
        crm.add_leads(run, 100).await; // as many as a batch moves: looking for them anew would never end
        batches += 1;
        assert!(batches <= 100, "it does not end");
    }

    assert_eq!(crm.status(run).await, "completed");
    let (total, moved, remaining, _) = counts(&crm, run).await;
    assert!(total >= 300 && moved == total, "{moved} of {total}");
    assert_eq!(remaining, 0);
    assert_eq!(crm.leads_at(run, crm.target).await, moved);
    crm.check().await;
}

#[tokio::test]
async fn leads_added_behind_the_last_stay_where_they_are() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;

    let mut added = 0_i32;
    while crm.process().await.is_some() {
        // As many as a batch moves, each with a higher key than all before it.
        database
            .session()
            .execute(
                "insert into public.leads (id, run_id, name)
                 select format('ffffffff-ffff-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, $1, 'Novo'
                 from generate_series($2 + 1, $2 + 100) as n",
                &[&run, &added],
            )
            .await
            .unwrap();
        added += 100;
        assert!(added <= 300, "it does not end");
    }

    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(counts(&crm, run).await, (250, 250, 0, 0));
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    crm.check().await;
}

/// With a locked lead in its way, a batch takes the slow path.
#[tokio::test]
async fn leads_that_were_placed_nowhere_are_moved_like_any_other() {
    for locked in [0_u8, 1] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(90).await;
        database
            .run(
                "update public.leads l
                 set
                   funnel_id = case when n.n < 60 then l.funnel_id end,
                   column_id = case when n.n not between 30 and 79 then l.column_id end
                 from (select id, row_number() over (order by id) as n from public.leads) n
                 where n.id = l.id",
            )
            .await;
        assert_eq!(crm.enqueue(run).await["total"], 90);
        let user = database.open().await;
        lock(&user, &crm.lead_ids(run).await[..usize::from(locked)]).await;

        let batch = crm.process().await.expect("it is due");

        assert_eq!(batch.leads_moved, 90 - i32::from(locked));
        assert_eq!(batch.leads_remaining, i64::from(locked));
        user.batch_execute("rollback").await.unwrap();
        crm.process_to_the_end().await;
        assert_eq!(crm.leads_at(run, crm.target).await, 90);
        assert_eq!(crm.status(run).await, "completed");
        crm.check().await;
    }
}
