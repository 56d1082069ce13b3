//! A rejected lead stops no other lead, and a bad move no other move.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::support::{Crm, Database};

/// A trigger that rejects updates of the leads in `public.rejected`.
async fn reject(database: &Database, leads: &[Uuid], trigger: &str) {
    database
        .run(&format!(
            "create table public.rejected (id uuid primary key);
             create function public.reject() returns trigger language plpgsql as
             $$ begin
               if exists (select from public.rejected r where r.id = new.id) then
                 raise exception 'lead bloqueado: %', new.name using errcode = 'ZX001';
               end if;
               return new;
             end $$;
             create {trigger} for each row execute function public.reject()"
        ))
        .await;
    database
        .session()
        .execute(
            "insert into public.rejected select unnest($1::uuid[])",
            &[&leads],
        )
        .await
        .unwrap();
}

async fn rejections(database: &Database, crm: &Crm<'_>, run: Uuid) -> Vec<Row> {
    let migration_id: i64 = crm.progress(run).await.get("migration_id");
    database
        .session()
        .query(
            "select * from public.get_lead_migration_rejections($1)",
            &[&migration_id],
        )
        .await
        .unwrap()
}

#[tokio::test]
async fn a_trigger_rejects_one_lead_of_a_hundred_and_the_rest_moves() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[37];
    let name: String = database
        .value("select name from public.leads where id = $1", &[&lead])
        .await;
    reject(
        &database,
        &[lead],
        "trigger reject before update on public.leads",
    )
    .await;
    crm.enqueue(run).await;

    let batch = crm.process().await.expect("it is due");

    assert_eq!(
        (batch.leads_moved, batch.leads_remaining, batch.success),
        (99, 0, true)
    );
    assert_eq!(crm.leads_at(run, crm.target).await, 99);
    let progress = crm.progress(run).await;
    assert_eq!(progress.get::<_, String>("status"), "completed_with_errors");
    assert_eq!(progress.get::<_, i64>("moved"), 99);
    assert_eq!(progress.get::<_, i64>("rejected"), 1);
    assert_eq!(progress.get::<_, i64>("remaining"), 0);
    let rejections = rejections(&database, &crm, run).await;
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].get::<_, String>("lead_id"), lead.to_string());
    assert_eq!(rejections[0].get::<_, String>("sqlstate"), "ZX001");
    assert_eq!(
        rejections[0].get::<_, String>("error"),
        format!("lead bloqueado: {name}")
    );
    let time = |row: &Row, column: &str| row.get::<_, chrono::DateTime<chrono::Utc>>(column);
    let rejected_at = time(&rejections[0], "rejected_at");
    assert!(time(&progress, "queued_at") < rejected_at);
    assert!(rejected_at < time(&progress, "finished_at"));
    crm.check().await;
}

#[tokio::test]
async fn a_lead_that_a_check_constraint_rejects_is_listed_with_its_error() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[0];
    database
        .run(&format!(
            "alter table public.leads add constraint stays check (id <> '{lead}' or column_id = '{}')",
            crm.inbox.column
        ))
        .await;
    crm.enqueue(run).await;

    crm.process_all().await;

    assert_eq!(crm.leads_at(run, crm.target).await, 99);
    let rejections = rejections(&database, &crm, run).await;
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].get::<_, String>("lead_id"), lead.to_string());
    assert_eq!(rejections[0].get::<_, String>("sqlstate"), "23514");
    assert!(rejections[0].get::<_, String>("error").contains("stays"));
    crm.check().await;
}

#[tokio::test]
async fn a_lead_that_would_be_rejected_only_at_commit_is_isolated_too() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let leads = crm.lead_ids(run).await;
    let rejected = [leads[99], leads[100], leads[249]];
    reject(
        &database,
        &rejected,
        "constraint trigger reject after update on public.leads deferrable initially deferred",
    )
    .await;
    crm.enqueue(run).await;

    let batches = crm.process_all().await;

    let moved: Vec<i32> = batches.iter().map(|batch| batch.leads_moved).collect();
    assert_eq!(moved, [99, 99, 49]);
    assert!(batches.iter().all(|batch| batch.success));
    assert_eq!(crm.leads_at(run, crm.target).await, 247);
    let mut listed: Vec<String> = rejections(&database, &crm, run)
        .await
        .iter()
        .map(|row| row.get("lead_id"))
        .collect();
    listed.sort();
    assert_eq!(listed, rejected.map(|lead| lead.to_string()));
    assert_eq!(crm.status(run).await, "completed_with_errors");
    crm.check().await;
}

#[tokio::test]
async fn several_rejected_leads_of_one_batch_are_all_listed_and_none_else() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let leads = crm.lead_ids(run).await;
    let mut rejected: Vec<Uuid> = [0, 1, 49, 50, 98, 99].map(|n| leads[n]).to_vec();
    reject(
        &database,
        &rejected,
        "trigger reject before update on public.leads",
    )
    .await;
    crm.enqueue(run).await;

    assert_eq!(crm.process().await.expect("it is due").leads_moved, 94);

    let left: Vec<Uuid> = database
        .value(
            "select array_agg(id order by id) from public.leads where column_id = $1",
            &[&crm.inbox.column],
        )
        .await;
    rejected.sort();
    assert_eq!(left, rejected);
    assert_eq!(rejections(&database, &crm, run).await.len(), 6);
    crm.check().await;
}

#[tokio::test]
async fn a_rejected_lead_that_is_a_batch_of_its_own_is_listed_like_any_other() {
    for (leads, batch_size) in [(3, 1), (101, 100)] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(leads).await;
        let last = *crm.lead_ids(run).await.last().expect("there are leads");
        reject(
            &database,
            &[last],
            "trigger reject before update on public.leads",
        )
        .await;
        crm.try_enqueue(run, crm.target, Some(batch_size))
            .await
            .unwrap();

        let batches = crm.process_all().await;

        assert!(batches.iter().all(|batch| batch.success), "{batches:?}");
        assert_eq!(crm.status(run).await, "completed_with_errors");
        assert_eq!(crm.leads_at(run, crm.target).await, i64::from(leads - 1));
        let rejections = rejections(&database, &crm, run).await;
        assert_eq!(rejections.len(), 1);
        assert_eq!(rejections[0].get::<_, String>("lead_id"), last.to_string());
        crm.check().await;
    }
}

#[tokio::test]
async fn a_trigger_that_suppresses_the_update_rejects_the_lead() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[61];
    database
        .run(&format!(
            "create function public.suppress() returns trigger language plpgsql as
             $$ begin return null; end $$;
             create trigger suppress before update on public.leads
             for each row when (new.id = '{lead}') execute function public.suppress()"
        ))
        .await;
    crm.enqueue(run).await;

    crm.process_all().await;

    assert_eq!(crm.leads_at(run, crm.target).await, 99);
    assert_eq!(crm.status(run).await, "completed_with_errors");
    let rejections = rejections(&database, &crm, run).await;
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].get::<_, String>("lead_id"), lead.to_string());
    crm.check().await;
}
