//! The target is deleted while leads are moved to it.

use uuid::Uuid;

use crate::moves::user_changes::counts;
use crate::support::{Crm, Database};

async fn delete_target(database: &Database, crm: &Crm<'_>) {
    database
        .run(
            "alter table public.leads drop constraint leads_column_id_fkey,
               add foreign key (column_id) references public.columns (id) on delete set null",
        )
        .await;
    database
        .session()
        .execute(
            "delete from public.columns where id = $1",
            &[&crm.target.column],
        )
        .await
        .unwrap();
}

async fn the_move_fails_with_a_clear_cause(database: &Database, crm: &Crm<'_>, run: Uuid) {
    let batch = crm.process().await.expect("it is due");

    assert!(!batch.success);
    assert_eq!(batch.leads_moved, 0);
    let cause: String = crm.progress(run).await.get("last_error");
    assert!(cause.contains(&crm.target.column.to_string()), "{cause}");
    assert!(cause.contains("não existe mais"), "{cause}");
    assert_eq!(batch.error_message, cause);
    assert_eq!(crm.status(run).await, "failed");
    assert!(crm.process().await.is_none());
    assert_eq!(crm.queue_length().await, 0);
    let archived: i64 = database
        .value(
            "select count(*) from pgmq.a_lead_migration_queue where message ->> 'error' = $1",
            &[&cause],
        )
        .await;
    assert!(archived > 0, "the message is archived with the cause");
    crm.check().await;
}

#[tokio::test]
async fn a_target_deleted_before_the_start_fails_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    delete_target(&database, &crm).await;

    the_move_fails_with_a_clear_cause(&database, &crm, run).await;

    assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
    assert_eq!(counts(&crm, run).await, (150, 0, 150, 0));
}

#[tokio::test]
async fn a_target_deleted_half_way_fails_the_move() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await; // several lanes
    crm.enqueue(run).await;
    crm.process().await;
    delete_target(&database, &crm).await;

    the_move_fails_with_a_clear_cause(&database, &crm, run).await;

    assert_eq!(crm.leads_at(run, crm.inbox).await, 2_400);
    assert_eq!(counts(&crm, run).await, (2_500, 100, 2_400, 0));
}
