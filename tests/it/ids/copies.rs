//! A copy of the schema without its rows, over tables whose ids have other types than where it was made.

use super::recipes::{tables, with_ids};
use super::remapping::{DROPPED, FILLED};

#[tokio::test]
async fn a_copy_over_other_types_gets_functions_of_those_types_alone() {
    let database = with_ids("integer", "integer", "integer").await;
    database
        .run(&format!(
            "truncate lead_mover.schema_files; {DROPPED} {}; {FILLED}",
            tables("text", "text", "text")
        ))
        .await;

    let migrated = database.migrate(&[]).await;

    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    let functions: Vec<String> = database
        .value(
            "select array_agg(p.oid::regprocedure::text) from pg_proc p where p.proname = 'queue_lead_migration'",
            &[],
        )
        .await;
    assert_eq!(functions, ["queue_lead_migration(text,text,text,integer)"]);
    database.doctor_report().await.assert_all_pass();
    let total: String = database
        .value(
            "select public.queue_lead_migration('7', '2', '4') ->> 'total'",
            &[],
        )
        .await;
    assert_eq!(total, "30");
}
