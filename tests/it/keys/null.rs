//! Leads without a key, where the lead table allows that.

use crate::support::Database;

#[tokio::test]
async fn a_lead_without_a_key_stays_and_all_others_move() {
    for unkeyed in [1_usize, 5] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(300).await;
        let leads = crm.lead_ids(run).await;
        database
            .run(
                "alter table public.leads drop constraint leads_pkey;
                 alter table public.leads alter id drop not null, add unique (id)",
            )
            .await;
        database
            .session()
            .execute(
                "update public.leads set id = null where id = any ($1)",
                &[&&leads[300 - unkeyed..]],
            )
            .await
            .unwrap();
        let keyed = 300 - i64::try_from(unkeyed).unwrap();

        assert_eq!(crm.enqueue(run).await["total"], keyed);
        crm.process_all().await;

        assert_eq!(crm.status(run).await, "completed");
        assert_eq!(crm.leads_at(run, crm.target).await, keyed);
        assert_eq!(crm.leads_at(run, crm.inbox).await, 300 - keyed);
        crm.check().await;
    }
}

#[tokio::test]
async fn a_run_of_nothing_but_leads_without_a_key_has_no_lead_to_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;
    database
        .run(
            "alter table public.leads drop constraint leads_pkey;
             alter table public.leads alter id drop not null;
             update public.leads set id = null",
        )
        .await;

    assert_eq!(crm.enqueue(run).await["total"], 0);
    assert_eq!(crm.queue_length().await, 0);
}
