//! Messages that no application would send by mistake. None of them holds up another.

use serde_json::{Value, json};
use tokio_postgres::error::SqlState;

use crate::support::{Crm, Database, Service, eventually};

/// A move that is queued now is done, whatever was sent before it, and the queue is empty then.
async fn queue_goes_on(crm: &Crm<'_>) {
    let behind = crm.run_of(5).await;
    crm.enqueue(behind).await;
    let mut calls = 0;
    while crm.status(behind).await != "completed" {
        crm.process().await;
        calls += 1;
        assert!(calls <= 20, "the queue is blocked");
    }
    assert_eq!(crm.queue_length().await, 0);
    crm.check().await;
}

/// The last message that was archived, with the reason.
async fn last_archived(database: &Database) -> Value {
    let archived: Value = database
        .value(
            "select message from pgmq.a_lead_migration_queue order by msg_id desc limit 1",
            &[],
        )
        .await;
    assert_eq!(archived["status"], "archived", "{archived}");
    assert!(archived["error"].is_string(), "{archived}");
    archived
}

#[tokio::test]
async fn a_message_nested_as_deep_as_can_be_is_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    // As deep as the server can write, and a little less deep.
    for less in [0, 1, 50] {
        database
            .run(&format!(
                "do $$
                 declare
                   v_deep jsonb := '1';
                   v_depth integer := 1;
                 begin
                   begin
                     loop
                       v_deep := (repeat('[', v_depth) || repeat(']', v_depth))::jsonb;
                       v_depth := v_depth + 50;
                     end loop;
                   exception when statement_too_complex then null;
                   end;
                   for v_less in 1 .. {less} loop
                     v_deep := v_deep -> 0;
                   end loop;
                   perform pgmq.send('lead_migration_queue', jsonb_build_object('hello', v_deep));
                 end $$"
            ))
            .await;

        let batch = crm.process().await.expect("it is due");

        assert!(!batch.success, "{batch:?}");
        let status: String = database
            .value(
                "select message ->> 'status' from pgmq.a_lead_migration_queue order by msg_id desc limit 1",
                &[],
            )
            .await;
        assert_eq!(status, "archived");
        queue_goes_on(&crm).await;
    }
}

#[tokio::test]
async fn a_small_message_that_is_long_when_written_out_is_archived() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let victim = crm.run_of(5).await;
    crm.enqueue(victim).await;
    crm.control("pause_lead_migration", victim).await;
    // 9 000 numbers of 131 072 digits: in 100 KB, more than a text can hold. It would take seconds to
    // find that out, so they are not written out at all.
    for key in ["migration_id", "lane", "run_id", "column_id", "batch_size"] {
        database
            .session()
            .execute(
                "select pgmq.send('lead_migration_queue', $1::jsonb || jsonb_build_object($2::text,
                   ('[' || repeat('1e131071,', 9000) || '1]')::jsonb))",
                &[&Crm::message_to(victim, crm.target), &key],
            )
            .await
            .unwrap();

        // A control that searches the queue for messages of a run ignores it.
        let nothing = crm
            .control("cancel_lead_migration", crm.run_of(1).await)
            .await;
        assert_eq!(nothing["cancelled_messages"], 0);
        let batch = crm.process().await.expect("it is due");

        assert_eq!(batch.leads_moved, 0, "{key}: {batch:?}");
        assert_eq!(
            crm.queue_length().await,
            1,
            "{key}: only the paused move is left"
        );
    }
    crm.control("cancel_lead_migration", victim).await;
    queue_goes_on(&crm).await;
}

#[tokio::test]
async fn a_reason_quotes_only_the_start_of_a_long_message() {
    let database = Database::new().await;
    let crm = database.crm().await;
    crm.send(&json!({ "run_id": "x".repeat(1_048_576) })).await;

    let batch = crm.process().await.expect("it is due");

    assert!(
        batch.error_message.len() <= 1_000,
        "{}",
        batch.error_message.len()
    );
    let archived = last_archived(&database).await;
    assert_eq!(archived["error"], batch.error_message.as_str());
    assert_eq!(archived["run_id"].as_str().map(str::len), Some(1_048_576));
    queue_goes_on(&crm).await;
}

#[tokio::test]
async fn unusual_characters_come_through_unchanged() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for odd in [
        "\u{0001}\u{0008}\t\n\r\u{001f}\u{007f}",
        "\u{feff}\u{200b}\u{202e}oãçartxE\u{202c}\u{2028}\u{ffff}",
        "🦀👩‍👩‍👧‍👦🇧🇷 é e\u{301} ﷽",
        "'; drop table public.leads; -- \\ \" $$ %s %L {} \\u0000",
    ] {
        crm.send(&json!({ "run_id": odd, odd: odd, "": { odd: [odd] } }))
            .await;

        let batch = crm.process().await.expect("it is due");

        assert!(batch.error_message.contains(odd), "{batch:?}");
        let archived = last_archived(&database).await;
        assert_eq!(archived["run_id"], odd);
        assert_eq!(archived[odd], odd);
        assert_eq!(archived[""][odd][0], odd);
        crm.send(&json!(odd)).await;
        crm.process().await.expect("it is due");
        assert_eq!(last_archived(&database).await["message"], odd);
    }
    queue_goes_on(&crm).await;
}

#[tokio::test]
async fn a_nul_and_half_a_character_never_get_into_the_queue() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for (text, state) in [
        (
            r#"{"run_id": "\u0000"}"#,
            SqlState::UNTRANSLATABLE_CHARACTER,
        ),
        (r#"{"\u0000": 1}"#, SqlState::UNTRANSLATABLE_CHARACTER),
        (
            r#"{"run_id": "\ud83e"}"#,
            SqlState::INVALID_TEXT_REPRESENTATION,
        ),
    ] {
        let error = database
            .session()
            .execute(
                "select pgmq.send('lead_migration_queue', $1::text::jsonb)",
                &[&text],
            )
            .await
            .expect_err("jsonb has no such text");
        assert_eq!(error.code(), Some(&state), "{text}");
    }
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn the_service_archives_bad_messages_and_does_the_move_between_them() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    let bad_messages = [
        json!(null),
        json!(true),
        json!(-0.5),
        json!("text"),
        json!([{ "run_id": run }]),
        json!({}),
        json!({ "run_id": run }),
        json!({ "run_id": [run], "funnel_id": crm.target.funnel, "column_id": crm.target.column }),
        json!({ "run_id": crm.target.column, "funnel_id": run, "column_id": crm.target.funnel }),
    ];
    for message in &bad_messages {
        crm.send(message).await;
    }
    crm.send(&Crm::message_to(run, crm.target)).await;
    for message in &bad_messages {
        crm.send(message).await;
    }

    let service = Service::start(&database, &["--poll-interval", "1h"]).await;

    eventually("the move is completed and the queue is empty", async || {
        crm.queue_length().await == 0
    })
    .await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    let archived: i64 = database
        .value(
            "select count(*) from pgmq.a_lead_migration_queue
             where message ->> 'status' = 'archived' and message ->> 'error' <> ''",
            &[],
        )
        .await;
    assert_eq!(archived, 18);
    assert_eq!(
        service.readyz().await.0,
        200,
        "bad messages do not make the service unready"
    );
    crm.check().await;
    assert_eq!(service.stop().await, Some(0));
}
