//! Whatever statistics the planner has of the lead table, a move walks along the index of its run: a run that
//! was imported a minute ago has none, and older ones may mislead.

mod sample;
mod walks;

use uuid::Uuid;

use walks::assert_walks_along_the_index;

use crate::support::{
    Crm, Database, Explaining, Plan, Session, control_in, enqueue_in, process_in,
};

/// PL/pgSQL may change its plan after five executions.
const EXECUTIONS: usize = 10;

/// A database whose lead table autovacuum does not analyze.
async fn database_without_autovacuum() -> Database {
    let database = Database::new().await;
    switch_autovacuum_off(&database).await;
    database
}

/// The same with keys that count up, as a table is filled: to the planner a walk along the primary key
/// is then much cheaper than one along any other index.
async fn database_with_counted_keys() -> Database {
    let database = Database::without_lead_mover().await;
    database
        .run(
            "alter table public.leads drop column id;
             alter table public.leads add column id bigint generated always as identity primary key;
             create index leads_run_id_id_idx on public.leads (run_id, id)",
        )
        .await;
    assert_eq!(database.migrate(&[]).await.status, Some(0));
    switch_autovacuum_off(&database).await;
    database
}

async fn switch_autovacuum_off(database: &Database) {
    database
        .run(
            "alter table public.leads set (autovacuum_enabled = off);
             alter table pgmq.q_lead_migration_queue set (autovacuum_enabled = off)",
        )
        .await;
}

/// 24 000 leads of four runs, one after the other in turn; returns one of the runs.
async fn fill(database: &Database, crm: &Crm<'_>) -> Uuid {
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(crm.run_of(0).await);
    }
    database
        .session()
        .execute(
            "insert into public.leads (run_id, funnel_id, column_id, name)
             select ($1::uuid[])[n % 4 + 1], $2, $3, 'Lead' from generate_series(1, 24000) as n",
            &[&runs, &crm.inbox.funnel, &crm.inbox.column],
        )
        .await
        .expect("leads can be added");
    runs[0]
}

/// Locks every fiftieth lead of the first half of the run, so that half of the batches take a slow path.
async fn lock_some(database: &Database, run: Uuid) -> Session {
    let user = database.open().await;
    user.batch_execute("begin").await.unwrap();
    user.query(
        "select from public.leads where id in (
               select id from (
                 select id, row_number() over (order by id) as n, count(*) over () as leads
                 from public.leads where run_id = $1
               ) l
               where n % 50 = 1 and n <= (leads + 1) / 2
             )
             for update",
        &[&run],
    )
    .await
    .expect("no other session has locked them");
    user
}

/// Queues the run so often that PL/pgSQL may change its plan, then moves some of it.
async fn plans_of_a_move(
    explaining: &mut Explaining,
    database: &Database,
    crm: &Crm<'_>,
    run: Uuid,
) -> Vec<Plan> {
    let user = lock_some(database, run).await;
    explaining.plans();
    let session = explaining.session();
    for _ in 1..EXECUTIONS {
        enqueue_in(session, run, crm.target, None).await.unwrap();
        control_in(session, "cancel_lead_migration", run)
            .await
            .unwrap();
    }
    enqueue_in(session, run, crm.target, None).await.unwrap();
    // Its six lanes take turns: ten batches and more take each path.
    for _ in 0..4 * EXECUTIONS {
        let batch = process_in(session, None).await.unwrap();
        assert!(batch.expect("it is due").success);
    }
    user.batch_execute("rollback").await.unwrap();
    explaining.plans()
}

#[tokio::test]
async fn a_run_that_has_no_statistics_is_walked_along_its_index() {
    let database = database_without_autovacuum().await;
    let crm = database.crm().await;
    let run = fill(&database, &crm).await;
    let Some(mut explaining) = Explaining::start(&database).await else {
        return;
    };

    let plans = plans_of_a_move(&mut explaining, &database, &crm, run).await;

    assert_walks_along_the_index(&plans);
    let analyzed: bool = database
        .value(
            "select exists (select from pg_stats where tablename = 'leads')",
            &[],
        )
        .await;
    assert!(!analyzed, "the table has statistics");
}

#[tokio::test]
async fn plans_made_and_statistics_gathered_while_the_table_was_tiny_do_not_slow_down_a_move() {
    for database in [
        database_without_autovacuum().await,
        database_with_counted_keys().await,
    ] {
        let crm = database.crm().await;
        crm.run_of(20).await;
        database.run("analyze").await;
        let Some(mut explaining) = Explaining::start(&database).await else {
            return;
        };
        // The plans of this session are made now.
        for _ in 0..EXECUTIONS {
            let run = crm.run_of(3).await;
            enqueue_in(explaining.session(), run, crm.target, None)
                .await
                .unwrap();
            let user = lock_some(&database, run).await;
            process_in(explaining.session(), None).await.unwrap();
            user.batch_execute("rollback").await.unwrap();
            crm.process_to_the_end().await;
        }
        let run = fill(&database, &crm).await;

        let plans = plans_of_a_move(&mut explaining, &database, &crm, run).await;

        assert_walks_along_the_index(&plans);
    }
}

#[tokio::test]
async fn one_run_among_few_large_ones_is_walked_along_its_index() {
    let database = database_with_counted_keys().await;
    let crm = database.crm().await;
    let run = fill(&database, &crm).await;
    database.run("analyze public.leads").await;
    let Some(mut explaining) = Explaining::start(&database).await else {
        return;
    };

    let plans = plans_of_a_move(&mut explaining, &database, &crm, run).await;

    assert_walks_along_the_index(&plans);
}

#[tokio::test]
async fn the_oldest_of_few_large_runs_is_walked_along_its_index() {
    let database = database_with_counted_keys().await;
    let crm = database.crm().await;
    let run = crm.run_of(8_000).await;
    for _ in 0..3 {
        crm.run_of(8_000).await;
    }
    database.run("analyze").await;
    let Some(mut explaining) = Explaining::start(&database).await else {
        return;
    };

    let plans = plans_of_a_move(&mut explaining, &database, &crm, run).await;

    assert_walks_along_the_index(&plans);
}
