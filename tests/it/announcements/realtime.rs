//! Messages to Supabase's Realtime, by a function with the signature of `realtime.send`.

use crate::support::{Crm, Database, Service};

/// A table of messages and the function, which fails when the table `realtime.broken` has a row.
const REALTIME: &str = "
    create schema realtime;
    create table realtime.broken (sqlstate text);
    create table realtime.messages (
      id bigint generated always as identity primary key,
      topic text, event text, payload jsonb, private boolean
    );
    create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
    returns void language plpgsql as $$ begin
      if exists (select from realtime.broken) then
        raise exception 'broken' using errcode = (select sqlstate from realtime.broken);
      end if;
      insert into realtime.messages (topic, event, payload, private) values ($3, $2, $1, $4);
    end $$";

async fn with_realtime(is_on: bool) -> Database {
    let database = Database::new().await;
    database.run(REALTIME).await;
    database
        .run(&format!("select lead_mover.set_announcements({is_on})"))
        .await;
    database
}

async fn events(database: &Database) -> Vec<String> {
    let query = "select coalesce(array_agg(event order by id), '{}') from realtime.messages";
    database.value(query, &[]).await
}

/// As if the last batch and the last message were of an hour ago.
async fn an_hour_later(database: &Database) {
    database
        .run(
            "update lead_mover.moves set announced_at = announced_at - interval '1 hour';
             update lead_mover.lanes set last_batch_at = last_batch_at - interval '1 hour'",
        )
        .await;
}

async fn started(crm: &Crm<'_>) -> uuid::Uuid {
    let run = crm.run_of(500).await;
    crm.enqueue(run).await;
    crm.process().await;
    run
}

#[tokio::test]
async fn each_change_of_status_is_sent_with_the_progress_on_the_private_topic_of_the_run() {
    let database = with_realtime(true).await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    crm.enqueue(run).await;
    crm.control("pause_lead_migration", run).await;
    crm.control("resume_lead_migration", run).await;
    crm.process_all().await;

    let of_status: Vec<String> = database
        .value(
            "select array_agg(concat_ws(' ', event, payload ->> 'status', payload ->> 'total', payload ->> 'percent') order by id)
             from realtime.messages where event <> 'progress'",
            &[],
        )
        .await;
    assert_eq!(
        of_status,
        [
            "queued pending 300 0",
            "paused paused 300 0",
            "resumed pending 300 0",
            "started processing 300 0",
            "finished completed 300 100",
        ]
    );
    let others: i64 = database
        .value(
            "select count(*) from realtime.messages
             where not private or topic <> 'lead_migration:' || $1::uuid or (payload ->> 'run_id')::uuid <> $1",
            &[&run],
        )
        .await;
    assert_eq!(others, 0);
    let payload: bool = database
        .value(
            "select m.payload = to_jsonb(p)
             from realtime.messages m, public.get_lead_migration_progress($1) p
             where m.event = 'finished'",
            &[&run],
        )
        .await;
    assert!(payload, "it is the row of get_lead_migration_progress");
}

#[tokio::test]
async fn progress_is_sent_when_the_last_message_is_old_or_of_a_time_to_come() {
    let database = with_realtime(true).await;
    let crm = database.crm().await;
    started(&crm).await;
    an_hour_later(&database).await;
    crm.process().await;
    assert_eq!(events(&database).await, ["queued", "started", "progress"]);

    // The server's clock went back.
    database
        .run(
            "update lead_mover.moves set announced_at = 'infinity';
             update lead_mover.lanes set last_batch_at = 'infinity'",
        )
        .await;
    crm.process().await;
    assert_eq!(
        events(&database).await,
        ["queued", "started", "progress", "progress"]
    );
}

#[tokio::test]
async fn a_move_of_many_lanes_sends_its_progress_at_most_once_a_second() {
    let database = with_realtime(true).await;
    let crm = database.crm().await;
    let _service = Service::start(&database, &["--workers", "4"]).await;
    let run = crm.run_of(20_000).await;
    crm.enqueue(run).await;
    crm.completed(run).await;

    let (messages, seconds): (i64, f64) = {
        let query =
            "select count(m.id), max(extract(epoch from p.finished_at - p.started_at))::float8
             from public.get_lead_migration_progress($1) p
             left join realtime.messages m on m.event = 'progress'";
        let row = database
            .session()
            .query_one(query, &[&run])
            .await
            .expect(query);
        (row.get(0), row.get(1))
    };
    println!("{messages} messages in {seconds:.1} s");
    let number = i32::try_from(messages).expect("a few");
    assert!(
        f64::from(number) <= seconds,
        "{messages} messages in {seconds} s"
    );
}

#[tokio::test]
async fn switched_off_nothing_is_sent() {
    let database = with_realtime(false).await;
    let crm = database.crm().await;
    let run = started(&crm).await;
    assert_eq!(events(&database).await, [""; 0]);

    // It takes effect within a move.
    database
        .run("select lead_mover.set_announcements(true)")
        .await;
    an_hour_later(&database).await;
    crm.process().await;
    assert_eq!(events(&database).await, ["progress"]);

    database
        .run("select lead_mover.set_announcements(false)")
        .await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(events(&database).await, ["progress"]);
}

#[tokio::test]
async fn without_realtime_it_can_be_switched_on_and_moves_go_on() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database
        .run("select lead_mover.set_announcements(true)")
        .await;
    let run = started(&crm).await;
    database.run(REALTIME).await;
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(events(&database).await, ["finished"]);
}

#[tokio::test]
async fn an_error_of_realtime_fails_no_batch_and_no_call() {
    for sqlstate in ["XX000", "57014", "40001", "P0004"] {
        let database = with_realtime(true).await;
        let crm = database.crm().await;
        database
            .run(&format!(
                "insert into realtime.broken values ('{sqlstate}')"
            ))
            .await;
        let run = crm.run_of(300).await;
        crm.enqueue(run).await;
        crm.process().await;
        an_hour_later(&database).await;
        let batches = crm.process_all().await;

        assert!(batches.iter().all(|batch| batch.success), "{batches:?}");
        assert_eq!(crm.status(run).await, "completed", "{sqlstate}");
        crm.check().await;
    }
}

#[tokio::test]
async fn no_batch_waits_for_the_message_of_another() {
    let database = with_realtime(true).await;
    let crm = database.crm().await;
    started(&crm).await;
    an_hour_later(&database).await;
    let other = database.open().await;
    other
        .batch_execute("begin; select from lead_mover.moves for no key update")
        .await
        .unwrap();

    assert_eq!(crm.process().await.expect("it is due").leads_moved, 100);

    assert_eq!(events(&database).await, ["queued", "started"]);
    other.batch_execute("commit").await.unwrap();
}

/// `lock_timeout` is short there: a table that is locked for maintenance holds up no batch.
#[tokio::test]
async fn no_batch_waits_long_for_the_table_of_messages() {
    let database = with_realtime(true).await;
    let crm = database.crm().await;
    let run = started(&crm).await;
    an_hour_later(&database).await;
    let other = database.open().await;
    other
        .batch_execute("begin; lock table realtime.messages in access exclusive mode")
        .await
        .unwrap();

    crm.process_all().await;

    assert_eq!(crm.status(run).await, "completed");
    other.batch_execute("commit").await.unwrap();
    crm.check().await;
}
