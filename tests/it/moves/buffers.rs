//! What a batch costs does not depend on how much of the run has been moved before it.

use crate::support::{Database, touched_buffers};

const LANES: usize = 6;
const BATCH: &str = "select * from public.process_lead_migration_batch()";

#[tokio::test]
async fn a_batch_late_in_a_run_touches_no_more_than_an_early_one() {
    let database = Database::new().await;
    // No vacuum in between.
    database
        .run(
            "alter table public.leads set (autovacuum_enabled = off);
             alter table lead_mover.lanes set (autovacuum_enabled = off);
             alter table lead_mover.moves set (autovacuum_enabled = off);
             alter table pgmq.q_lead_migration_queue set (autovacuum_enabled = off)",
        )
        .await;
    let crm = database.crm().await;
    let run = crm.run_of(6_000).await;
    crm.enqueue(run).await;

    // Lanes take turns, so each of these is a batch of every lane.
    let mut turns = Vec::new();
    for _ in 0..10 {
        let mut touched = 0;
        for _ in 0..LANES {
            touched += touched_buffers(database.session(), BATCH).await;
        }
        turns.push(touched);
    }

    // Not the first turn: it reads the catalogs and plans. Nor the last: it ends the lanes. In between it is
    // the same to a hundredth, as the tables grow by pages and no index by a level. A walk that began where
    // its lane does would read 700 leads a batch more by then, which is half as many buffers again.
    let (early, late) = (turns[1], turns[8]);
    assert!(late * 10 <= early * 11, "buffers by turn: {turns:?}");
    assert_eq!(crm.leads_at(run, crm.target).await, 6_000);
}
