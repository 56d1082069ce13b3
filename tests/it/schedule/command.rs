//! What `pg_cron` runs, run here in a session of its own kind.

use crate::support::Database;

async fn run_command(database: &Database, seconds: f64) {
    let command: String = database
        .value("select lead_mover.scheduled_command($1)", &[&seconds])
        .await;
    database
        .open()
        .await
        .batch_execute(&command)
        .await
        .unwrap_or_else(|error| panic!("{}", pg_connection::describe(&error)));
}

#[tokio::test]
async fn a_run_moves_all_that_is_due_in_a_transaction_a_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database.note_writes().await;
    let run = crm.run_of(950).await;
    crm.enqueue(run).await;

    run_command(&database, 25.0).await;

    assert_eq!(crm.status(run).await, "completed");
    let query = "select array_agg(t.leads order by t.leads)
         from (select count(*) as leads from public.writes group by by_transaction) t";
    let mut expected = vec![100_i64; 9];
    expected.insert(0, 50);
    assert_eq!(database.value::<Vec<i64>>(query, &[]).await, expected);
    crm.check().await;
}

#[tokio::test]
async fn a_run_ends_when_its_time_is_over() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(5000).await;
    crm.enqueue(run).await;

    run_command(&database, 0.001).await;

    assert_ne!(crm.status(run).await, "completed");
    run_command(&database, 25.0).await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn a_batch_that_fails_ends_no_run() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let failing = crm.run_of(3).await;
    let other = crm.run_of(250).await;
    database
        .run(&format!(
            "create function public.fail() returns trigger language plpgsql as $$ begin
               raise exception 'always' using errcode = '53100';
             end $$;
             create trigger fail before update on public.leads
             for each row when (new.run_id = '{failing}') execute function public.fail()"
        ))
        .await;
    crm.enqueue(failing).await;
    crm.enqueue(other).await;

    run_command(&database, 25.0).await;

    assert_eq!(crm.status(other).await, "completed");
    assert_eq!(crm.progress(failing).await.get::<_, i32>("attempts"), 1);
}

/// In a block that commits, the time of the statement is that of the block.
#[tokio::test]
async fn a_move_that_is_queued_during_a_run_does_not_start_before_it_was_queued() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(10).await;
    let (funnel, column) = (crm.target.funnel, crm.target.column);
    database
        .run(&format!(
            "do $$ begin
               perform public.queue_lead_migration('{run}', '{funnel}', '{column}');
               commit;
               perform lead_mover.process_batch();
             end $$"
        ))
        .await;

    let in_order: bool = database
        .value("select started_at >= queued_at from lead_mover.moves", &[])
        .await;
    assert!(in_order);
}
