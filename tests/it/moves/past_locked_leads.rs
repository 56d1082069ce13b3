//! The long way, past leads that are locked, minds all that the short way does.

use crate::moves::people::put;
use crate::moves::people_locks::{add_notes, lock, with_notes};
use crate::support::Database;

#[tokio::test]
async fn a_note_added_under_a_lead_does_not_hold_up_its_move_past_a_locked_one() {
    let database = Database::new().await;
    with_notes(&database).await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    crm.enqueue(run).await;
    let (writer, person) = (database.open().await, database.open().await);
    writer.batch_execute("begin").await.unwrap();
    add_notes(&writer, &crm, run).await;
    lock(&person, &crm.lead_ids(run).await[40..41]).await;

    let batch = crm.process().await.expect("it is due");

    assert_eq!((batch.leads_moved, batch.leads_remaining), (99, 1));
    writer.batch_execute("commit").await.unwrap();
}

#[tokio::test]
async fn leads_that_were_placed_nowhere_are_moved_past_a_locked_one() {
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
    crm.enqueue(run).await;
    let person = database.open().await;
    lock(&person, &crm.lead_ids(run).await[..1]).await;

    let batch = crm.process().await.expect("it is due");

    assert_eq!((batch.leads_moved, batch.leads_remaining), (89, 1));
    person.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 90);
    crm.check().await;
}

#[tokio::test]
async fn a_lead_that_a_person_moved_on_after_us_stays_there_past_a_locked_one() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let elsewhere = crm.another_target().await;
    crm.enqueue(run).await;
    crm.process().await;
    let leads = crm.lead_ids(run).await;
    put(&database, &leads[10..15], elsewhere).await;
    let person = database.open().await;
    lock(&person, &leads[150..151]).await;

    assert_eq!(crm.process().await.expect("it is due").leads_moved, 99);
    person.batch_execute("rollback").await.unwrap();
    crm.process_to_the_end().await;

    assert_eq!(crm.leads_at(run, elsewhere).await, 5);
    assert_eq!(crm.leads_at(run, crm.target).await, 245);
    assert_eq!(crm.status(run).await, "completed");
    crm.check().await;
}
