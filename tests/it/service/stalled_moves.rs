//! The gauge of active moves that nothing in the queue works on.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus writes whole numbers as floats too"
)]

use uuid::Uuid;

use crate::support::{Crm, Database, Service, eventually, touched_buffers};

const STALLED: &str = "lead_mover_migrations_stalled";

async fn stalled(database: &Database) -> i64 {
    database
        .value("select migrations_stalled from lead_mover.sample()", &[])
        .await
}

async fn enqueued(crm: &Crm<'_>, leads: i32) -> Uuid {
    let run = crm.run_of(leads).await;
    crm.enqueue(run).await;
    run
}

#[tokio::test]
async fn a_move_is_stalled_while_one_of_its_lanes_has_no_message_that_will_be_due() {
    for damage in [
        "select pgmq.purge_queue('lead_migration_queue')",
        "delete from pgmq.q_lead_migration_queue where message ->> 'lane' = '2'",
        "update pgmq.q_lead_migration_queue set vt = now() + interval '1 hour' where message ->> 'lane' = '2'",
        // A queue that was created again counts from 1: the id is that of another lane's message.
        "update pgmq.q_lead_migration_queue set message = jsonb_set(message, '{lane}', '7')",
        "select pgmq.drop_queue('lead_migration_queue'); select pgmq.create('lead_migration_queue')",
    ] {
        let database = Database::new().await;
        let crm = database.crm().await;
        enqueued(&crm, 2_000).await;
        let lanes: i64 = database
            .value("select count(*) from lead_mover.lanes", &[])
            .await;
        assert!(lanes > 1, "one lane");
        assert_eq!(stalled(&database).await, 0);

        database.run(damage).await;

        assert_eq!(stalled(&database).await, 1, "{damage}");
        database.run("select lead_mover.repair()").await;
        assert_eq!(stalled(&database).await, 0, "{damage}");
    }
}

#[tokio::test]
async fn a_move_that_waits_is_paused_or_has_ended_is_not_stalled() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let done = enqueued(&crm, 10).await;
    crm.process_all().await;
    assert_eq!(crm.status(done).await, "completed");
    enqueued(&crm, 10).await;
    database
        .run("update pgmq.q_lead_migration_queue set vt = now() + interval '9 minutes'")
        .await;
    let paused = enqueued(&crm, 10).await;
    crm.control("pause_lead_migration", paused).await;
    let cancelled = enqueued(&crm, 10).await;
    crm.control("cancel_lead_migration", cancelled).await;

    assert_eq!(stalled(&database).await, 0);
    database
        .run("delete from pgmq.q_lead_migration_queue where vt = 'infinity'")
        .await;
    assert_eq!(stalled(&database).await, 0, "a paused move has no message");
}

#[tokio::test]
async fn a_lane_that_has_ended_needs_no_message() {
    let database = Database::new().await;
    let crm = database.crm().await;
    enqueued(&crm, 2_000).await;
    let mut open: i64 = 2;
    while open == 2 {
        crm.process().await;
        open = database
            .value(
                "select count(*) from lead_mover.lanes where finished_at is null",
                &[],
            )
            .await;
    }

    assert_eq!(stalled(&database).await, 0);
}

/// No service puts it right while another session holds the move.
#[tokio::test]
async fn the_service_shows_how_many() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for _ in 0..3 {
        enqueued(&crm, 10).await;
    }
    let holder = database.open().await;
    holder
        .batch_execute(
            "select pg_advisory_lock(lead_mover.lock_key(migration_id)) from lead_mover.moves;
             delete from pgmq.q_lead_migration_queue q
             using (select min(msg_id) as msg_id from pgmq.q_lead_migration_queue) kept
             where q.msg_id <> kept.msg_id",
        )
        .await
        .expect("nobody else holds them");

    let service = Service::start(&database, &["--poll-interval", "1h"]).await;

    eventually("two moves are stalled", async || {
        service.metric(STALLED).await == 2.0
    })
    .await;
}

#[tokio::test]
async fn a_sample_of_many_active_moves_reads_queue_and_lanes_once() {
    let database = Database::new().await;
    database
        .run(
            "with moves as (
               insert into lead_mover.moves (run_id, funnel_id, column_id, batch_size, open_lanes)
               select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 100, 1
               from generate_series(1, 5000)
               returning migration_id
             ),
             messages as (
               insert into pgmq.q_lead_migration_queue (vt, message)
               select now(), jsonb_build_object('migration_id', migration_id, 'lane', 1) from moves
               returning msg_id, (message ->> 'migration_id')::bigint as migration_id
             )
             insert into lead_mover.lanes (migration_id, lane, message_id, batch_size, total)
             select migration_id, 1, msg_id, 100, 10 from messages",
        )
        .await;

    assert_eq!(stalled(&database).await, 0);
    let call = "select * from lead_mover.sample()";
    let touched = touched_buffers(database.session(), call).await;

    assert!(touched < 4_000, "{touched} buffers");
}
