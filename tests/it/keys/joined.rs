//! Leads that take their funnel from another table, through a view that joins it.

use crate::support::{Database, process_in};

/// Written by a trigger, as a view over two tables cannot be.
const WRITTEN: &str = "
  create function public.write_lead() returns trigger language plpgsql as $$ begin
    update public.leads set column_id = new.column_id where id = old.id;
    return new;
  end $$;
  create trigger write_lead instead of update on lead_mover.leads
  for each row execute function public.write_lead()";

const VIEWS: [&str; 4] = [
    "select l.id, l.run_id, c.funnel_id, l.column_id
     from public.leads l left join public.columns c on c.id = l.column_id",
    "select l.id, l.run_id, c.funnel_id, l.column_id
     from public.columns c right join public.leads l on c.id = l.column_id",
    "select l.id, l.run_id, c.funnel_id, l.column_id
     from public.leads l join public.columns c on c.id = l.column_id",
    "select l.id, l.run_id, (select c.funnel_id from public.columns c where c.id = l.column_id) as funnel_id, l.column_id
     from public.leads l",
];

#[tokio::test]
async fn a_locked_lead_behind_a_join_is_come_back_to_and_no_lead_is_rejected() {
    for view in VIEWS {
        for lock in ["for no key update", "for update", "for key share"] {
            let database = Database::new().await;
            let crm = database.crm().await;
            database
                .run(&format!(
                    "create or replace view lead_mover.leads as {view}; {WRITTEN}"
                ))
                .await;
            let run = crm.run_of(300).await;
            let lead = crm.lead_ids(run).await[6];
            // In a view the leads' own funnel does not count.
            database
                .run(&format!(
                    "update public.leads set funnel_id = '{}'",
                    crm.target.funnel
                ))
                .await;
            let user = database.open().await;
            user.batch_execute(&format!(
                "begin; select from public.leads where id = '{lead}' {lock}"
            ))
            .await
            .unwrap();
            crm.enqueue(run).await;

            for _ in 0..6 {
                crm.make_due().await;
                if let Some(batch) = process_in(database.session(), None).await.unwrap() {
                    assert!(batch.success, "{view}: {batch:?}");
                }
            }
            assert!(crm.leads_at(run, crm.target).await >= 299, "{view}");
            user.batch_execute("rollback").await.unwrap();
            crm.process_to_the_end().await;

            crm.all_moved(run).await;
            assert_eq!(crm.rejected(run).await, []);
        }
    }
}

#[tokio::test]
async fn a_lead_whose_column_is_locked_in_a_joined_table_is_moved() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database
        .run(&format!(
            "create or replace view lead_mover.leads as {}; {WRITTEN}",
            VIEWS[0]
        ))
        .await;
    let run = crm.run_of(300).await;
    database
        .run(&format!(
            "update public.leads set funnel_id = '{}'",
            crm.target.funnel
        ))
        .await;
    let user = database.open().await;
    user.batch_execute(&format!(
        "begin; update public.columns set name = 'changed' where id = '{}'",
        crm.inbox.column
    ))
    .await
    .unwrap();
    crm.enqueue(run).await;

    crm.process_all().await;

    crm.all_moved(run).await;
}
