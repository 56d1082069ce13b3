//! The statements that read the gauges, every 15 s.

use super::EXECUTIONS;
use crate::support::{Database, Explaining, Plan};

/// 3 000 moves of 4 lanes, of which the last are active, and 20 000 archived messages.
async fn fill(database: &Database, active: i32) {
    database
        .run(&format!(
            "insert into lead_mover.moves (run_id, funnel_id, column_id, batch_size, status, open_lanes, finished_at)
             select
               gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 100,
               case when n > 3000 - {active} then 'processing' else 'completed' end,
               4,
               case when n <= 3000 - {active} then now() end
             from generate_series(1, 3000) as n;
             insert into lead_mover.lanes (migration_id, lane, batch_size, total)
             select m.migration_id, lane, 100, 10
             from lead_mover.moves m, generate_series(1, 4) as lane;
             insert into pgmq.a_lead_migration_queue (msg_id, vt, message)
             select -n, now(), '{{}}' from generate_series(1, 20000) as n"
        ))
        .await;
}

async fn switch_autovacuum_off(database: &Database) {
    for table in ["lead_mover.moves", "lead_mover.lanes"] {
        database
            .run(&format!(
                "alter table {table} set (autovacuum_enabled = off)"
            ))
            .await;
    }
}

/// Fails too where no scan is found at all: then the plans are not those of the sample.
fn assert_looks_active_moves_up(plans: &[Plan]) {
    let nodes: Vec<_> = plans.iter().flat_map(Plan::nodes).collect();
    let scanned = |relation: &str| -> Vec<&str> {
        nodes
            .iter()
            .filter(|node| node["Relation Name"] == relation)
            .map(|node| node["Node Type"].as_str().expect("a name"))
            .collect()
    };
    assert_eq!(scanned("a_lead_migration_queue"), [""; 0], "the archive");
    // For what waits, and for the moves that nothing works on.
    assert_eq!(scanned("q_lead_migration_queue").len(), 2 * EXECUTIONS);
    let lanes = scanned("lanes");
    assert_eq!(lanes.len(), 2 * EXECUTIONS, "{nodes:?}");
    for how in lanes {
        let looked_up = ["Index Scan", "Bitmap Heap Scan"].contains(&how);
        assert!(looked_up, "{how} of all lanes");
    }
    for other in ["rejections", "leads", "runs"] {
        assert_eq!(scanned(other), [""; 0], "{other}");
    }
}

async fn plans_of_a_sample(explaining: &mut Explaining) -> Vec<Plan> {
    explaining.plans();
    // PL/pgSQL may change its plan after five executions.
    for _ in 0..EXECUTIONS {
        explaining
            .session()
            .batch_execute("select * from lead_mover.sample()")
            .await
            .expect("no error");
    }
    explaining.plans()
}

#[tokio::test]
async fn a_sample_looks_up_what_is_active_and_never_reads_the_archive() {
    let database = Database::new().await;
    switch_autovacuum_off(&database).await;
    fill(&database, 5).await;
    let Some(mut explaining) = Explaining::start(&database).await else {
        return;
    };

    assert_looks_active_moves_up(&plans_of_a_sample(&mut explaining).await);
    database.run("analyze").await;
    assert_looks_active_moves_up(&plans_of_a_sample(&mut explaining).await);
}

#[tokio::test]
async fn statistics_from_when_all_moves_were_active_do_not_slow_down_a_sample() {
    let database = Database::new().await;
    switch_autovacuum_off(&database).await;
    fill(&database, 3000).await;
    database
        .run(
            "analyze;
             update lead_mover.moves set status = 'completed', finished_at = now() where migration_id > 5",
        )
        .await;
    let Some(mut explaining) = Explaining::start(&database).await else {
        return;
    };

    assert_looks_active_moves_up(&plans_of_a_sample(&mut explaining).await);
}
