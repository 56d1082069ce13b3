//! `batch_size` in every way in which a move can be queued, and out of bounds.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Crm, Database, Finished, command, finish};

/// What the first batch of a run that was just queued moves.
async fn first_batch(crm: &Crm<'_>, run: Uuid) -> i32 {
    let batch = crm.process().await.expect("it is due");
    assert_eq!(batch.run_id, Some(run));
    crm.control("cancel_lead_migration", run).await;
    crm.check().await;
    batch.leads_moved
}

async fn call(database: &Database, crm: &Crm<'_>, run: Uuid, how: &str) -> Result<Value, String> {
    let call = how
        .replace("RUN", &format!("'{run}'"))
        .replace("FUNNEL", &format!("'{}'", crm.target.funnel))
        .replace("COLUMN", &format!("'{}'", crm.target.column));
    database
        .session()
        .query_one(&format!("select public.{call}"), &[])
        .await
        .map(|row| row.get(0))
        .map_err(|error| error.code().expect("a code").code().to_owned())
}

#[tokio::test]
async fn the_size_that_a_move_is_queued_with_by_position_by_name_and_left_out() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for (how, moved) in [
        ("queue_lead_migration(RUN, FUNNEL, COLUMN)", 100),
        ("queue_lead_migration(RUN, FUNNEL, COLUMN, 7)", 7),
        ("queue_lead_migration(RUN, FUNNEL, COLUMN, null)", 100),
        ("queue_lead_migration(RUN, FUNNEL, COLUMN, 10000)", 150),
        (
            "queue_lead_migration(RUN, FUNNEL, COLUMN, p_batch_size => 7)",
            7,
        ),
        (
            "queue_lead_migration(p_column_id => COLUMN, p_funnel_id => FUNNEL, p_run_id => RUN)",
            100,
        ),
        (
            "queue_lead_migration(p_batch_size => null, p_run_id => RUN, p_funnel_id => FUNNEL, p_column_id => COLUMN)",
            100,
        ),
    ] {
        let run = crm.run_of(150).await;

        let answer = call(&database, &crm, run, how).await.expect(how);

        assert_eq!(answer["total"], 150, "{how}");
        assert_eq!(first_batch(&crm, run).await, moved, "{how}");
    }

    let run = crm.run_of(150).await;
    for size in ["0", "-1", "10001", "2147483647", "-2147483648"] {
        for how in ["", "p_batch_size => "] {
            let how = format!("queue_lead_migration(RUN, FUNNEL, COLUMN, {how}{size})");
            let rejected = call(&database, &crm, run, &how).await;
            assert_eq!(rejected, Err("LM003".to_owned()), "{how}");
        }
    }
    assert_eq!(crm.queue_length().await, 0);
}

#[tokio::test]
async fn the_size_of_one_batch_by_position_by_name_and_left_out() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for (arguments, moved) in [
        ("", 100),
        ("null", 100),
        ("7", 7),
        ("10000", 100),
        ("p_batch_size => null", 100),
        ("p_batch_size => 7", 7),
    ] {
        let run = crm.run_of(150).await;
        crm.enqueue(run).await;

        let leads_moved: i32 = database
            .value(
                &format!(
                    "select leads_moved from public.process_lead_migration_batch({arguments})"
                ),
                &[],
            )
            .await;

        assert_eq!(leads_moved, moved, "{arguments}");
        crm.control("cancel_lead_migration", run).await;
    }

    let run = crm.run_of(150).await;
    crm.enqueue(run).await;
    for size in ["0", "-1", "10001", "2147483647", "-2147483648"] {
        for how in ["", "p_batch_size => "] {
            let how = format!("process_lead_migration_batch({how}{size})");
            let rejected = call(&database, &crm, run, &how).await;
            assert_eq!(rejected, Err("LM003".to_owned()), "{how}");
        }
    }
    assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
    assert_eq!(
        first_batch(&crm, run).await,
        100,
        "the calls before it changed nothing"
    );
}

#[tokio::test]
async fn the_size_in_a_message_that_an_application_sends() {
    let database = Database::new().await;
    let crm = database.crm().await;
    for (size, moved) in [
        (None, 100),
        (Some(json!(null)), 100),
        (Some(json!(7)), 7),
        (Some(json!("7")), 7),
        (Some(json!(" 7 ")), 7),
        (Some(json!(10_000)), 150),
    ] {
        let run = crm.run_of(150).await;
        let mut message = Crm::message_to(run, crm.target);
        if let Some(size) = &size {
            message["batch_size"] = size.clone();
        }

        crm.send(&message).await;

        assert_eq!(first_batch(&crm, run).await, moved, "{size:?}");
    }

    let run = crm.run_of(150).await;
    for (size, sqlstate) in [
        ("0", "LM003"),
        ("-1", "LM003"),
        ("10001", "LM003"),
        ("2147483647", "LM003"),
        ("2147483648", "22003"),
        ("1e300", "22003"),
        ("1e131071", "22003"),
        ("99.5", "22P02"),
        ("\"1e2\"", "22P02"),
        ("\"\"", "22P02"),
        ("\"100; drop table leads\"", "22P02"),
        ("[100]", "22P02"),
        ("{}", "22P02"),
        ("false", "22P02"),
    ] {
        database
            .session()
            .execute(
                &format!(
                    "select pgmq.send('lead_migration_queue', $1::jsonb || '{{\"batch_size\": {size}}}')"
                ),
                &[&Crm::message_to(run, crm.target)],
            )
            .await
            .unwrap();

        let rejected = crm.process().await.expect("it is due");

        assert!(!rejected.success, "{size}");
        assert!(rejected.error_message.len() <= 1_000, "{size}");
        let archived: String = database
            .value(
                "select message ->> 'sqlstate' from pgmq.a_lead_migration_queue where msg_id = $1",
                &[&rejected.message_id],
            )
            .await;
        assert_eq!(archived, sqlstate, "{size}");
        assert_eq!(crm.queue_length().await, 0);
    }
    assert_eq!(crm.leads_at(run, crm.inbox).await, 150);
}

#[tokio::test]
async fn the_size_on_the_command_line() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let enqueue = async |run: Uuid, size: &[&str]| -> Finished {
        let ids = [run, crm.target.funnel, crm.target.column].map(|id| id.to_string());
        finish(
            command(&["enqueue", &ids[0], &ids[1], &ids[2]])
                .args(size)
                .env("DATABASE_URL", database.connection_string()),
        )
        .await
    };
    for (size, moved) in [
        (&[][..], 100),
        (&["--batch-size", "7"], 7),
        (&["--batch-size=10000"], 150),
    ] {
        let run = crm.run_of(150).await;
        let finished = enqueue(run, size).await;
        assert_eq!(finished.status, Some(0), "{finished:?}");
        assert_eq!(first_batch(&crm, run).await, moved, "{size:?}");
    }

    let run = crm.run_of(150).await;
    for (size, status, expected) in [
        (&["--batch-size", "0"][..], 1, "LM003"),
        (&["--batch-size", "-1"], 1, "LM003"),
        (&["--batch-size=-1"], 1, "LM003"),
        (&["--batch-size", "2147483647"], 1, "LM003"),
        (&["--batch-size", "2147483648"], 2, "2147483648"),
        (&["--batch-size", "null"], 2, "null"),
        (&["--batch-size", "1.5"], 2, "1.5"),
        (&["--batch-size="], 2, "--batch-size"),
        (&["--batch-size"], 2, "--batch-size"),
    ] {
        let finished = enqueue(run, size).await;
        assert_eq!(finished.status, Some(status), "{size:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{size:?}: {finished:?}");
    }
    assert_eq!(crm.queue_length().await, 0);
}
