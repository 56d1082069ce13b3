//! Rewrite rules on the lead table: an update that asks for its rows is none that they take.

use crate::support::Database;

#[tokio::test]
async fn a_rule_that_keeps_a_history_fires() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    database
        .run(
            "create table public.history (lead_id uuid, column_id uuid);
             create rule keep as on update to public.leads
             do also insert into public.history values (new.id, new.column_id)",
        )
        .await;
    crm.enqueue(run).await;

    crm.process_all().await;

    crm.all_moved(run).await;
    let kept = "select count(distinct lead_id) from public.history";
    assert_eq!(database.value::<i64>(kept, &[]).await, 250);
}

#[tokio::test]
async fn a_lead_that_a_rule_keeps_is_listed() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let lead = crm.lead_ids(run).await[17];
    database
        .run(&format!(
            "create rule keep as on update to public.leads where old.id = '{lead}' do instead nothing"
        ))
        .await;
    crm.enqueue(run).await;

    crm.process_to_the_end().await;

    crm.all_moved_but(run, lead, "09000").await;
}
