//! What callers of the old system rely on: it had one message a move, and enqueueing again was harmless.

use crate::support::{Crm, Database};

/// Old callers stop at the first row that is no success.
#[tokio::test]
async fn a_message_that_has_nothing_to_do_is_a_success_without_leads() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    for _ in 0..2 {
        crm.send(&Crm::message_to(run, crm.target)).await;
    }

    let mut reasons = Vec::new();
    while let Some(batch) = crm.process().await {
        assert!(batch.success, "{batch:?}");
        if batch.leads_moved == 0 {
            reasons.push(batch.error_message);
        }
    }
    assert_eq!(crm.leads_at(run, crm.target).await, 150);
    crm.send(&Crm::message_to(run, crm.target)).await;
    let at_the_target = crm.process().await.expect("it is due");

    assert!(at_the_target.success);
    assert_eq!(at_the_target.leads_moved, 0);
    assert_eq!(at_the_target.leads_remaining, 0);
    assert_eq!(
        at_the_target.error_message,
        "Nenhum lead a mover: todos já estão no destino"
    );
    assert_eq!(reasons.len(), 1);
    assert!(
        reasons[0].starts_with("Movimentação já enfileirada"),
        "{reasons:?}"
    );
    // What cannot be read is none.
    crm.send(&serde_json::json!({"run_id": 7})).await;
    assert!(!crm.process().await.expect("it is due").success);
    crm.check().await;
}

#[tokio::test]
async fn a_move_with_many_lanes_counts_once() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let total = "select total_messages from public.get_lead_migration_queue_status()";
    let (large, small) = (crm.run_of(5_000).await, crm.run_of(3).await);
    crm.enqueue(large).await;
    assert!(crm.queue_length().await > 1, "it has several lanes");
    assert_eq!(database.value::<i64>(total, &[]).await, 1);
    crm.enqueue(small).await;
    crm.send(&Crm::message_to(crm.run_of(1).await, crm.target))
        .await;

    assert_eq!(database.value::<i64>(total, &[]).await, 3);
    let cancelled = crm.control("cancel_lead_migration", large).await;

    assert_eq!(cancelled["cancelled_messages"], 1);
    assert_eq!(database.value::<i64>(total, &[]).await, 2);
    // Also where its messages were taken out of the queue.
    database
        .run("delete from pgmq.q_lead_migration_queue")
        .await;
    let cancelled = crm.control("cancel_lead_migration", small).await;
    assert_eq!(cancelled["cancelled_messages"], 1);
}
