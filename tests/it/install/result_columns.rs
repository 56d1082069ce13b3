//! Names, types and order of what the functions take and answer with, as the contract has them.

use tokio_postgres::types::Type;

use crate::support::Database;

async fn columns(database: &Database, call: &str) -> Vec<(String, Type)> {
    database
        .session()
        .prepare(&format!("select * from public.{call}"))
        .await
        .expect("it exists")
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.type_().clone()))
        .collect()
}

fn named(columns: &[(&str, Type)]) -> Vec<(String, Type)> {
    columns
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), kind.clone()))
        .collect()
}

#[tokio::test]
async fn the_result_columns_are_the_contracts_in_its_order() {
    let database = Database::new().await;

    let of_progress = columns(&database, "get_lead_migration_progress()").await;
    let names: Vec<&str> = of_progress.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "migration_id",
            "run_id",
            "run_name",
            "funnel_id",
            "column_id",
            "status",
            "total",
            "moved",
            "remaining",
            "rejected",
            "percent",
            "leads_per_second",
            "eta_seconds",
            "queued_at",
            "started_at",
            "last_batch_at",
            "finished_at",
            "attempts",
            "last_error"
        ]
    );
    assert_eq!(
        columns(&database, "get_lead_migration_rejections(1)").await,
        named(&[
            ("lead_id", Type::TEXT),
            ("sqlstate", Type::TEXT),
            ("error", Type::TEXT),
            ("rejected_at", Type::TIMESTAMPTZ),
        ])
    );
    assert_eq!(
        columns(&database, "process_lead_migration_batch()").await,
        named(&[
            ("message_id", Type::INT8),
            ("run_id", Type::UUID),
            ("run_name", Type::TEXT),
            ("leads_moved", Type::INT4),
            ("leads_remaining", Type::INT8),
            ("success", Type::BOOL),
            ("error_message", Type::TEXT),
        ])
    );
    assert_eq!(
        columns(&database, "get_lead_migration_queue_status()").await,
        named(&[
            ("queue_name", Type::TEXT),
            ("total_messages", Type::INT8),
            ("oldest_message", Type::TIMESTAMPTZ),
            ("newest_message", Type::TIMESTAMPTZ),
        ])
    );
}

#[tokio::test]
async fn parameters_can_be_named_as_the_contract_names_them() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(3).await;

    for call in [
        "queue_lead_migration(p_run_id => $1, p_funnel_id => null, p_column_id => null, p_batch_size => 1)",
        "cancel_lead_migration(p_run_id => $1)",
        "pause_lead_migration(p_run_id => $1)",
        "resume_lead_migration(p_run_id => $1)",
        "retry_lead_migration(p_run_id => $1)",
        "get_lead_migration_progress(p_run_id => $1)",
    ] {
        let statement = database
            .session()
            .prepare(&format!("select * from public.{call}"))
            .await
            .unwrap_or_else(|error| panic!("{call}: {error}"));
        assert_eq!(statement.params(), [Type::UUID]);
    }
    columns(
        &database,
        "get_lead_migration_rejections(p_migration_id => 1)",
    )
    .await;
    columns(&database, "process_lead_migration_batch(p_batch_size => 1)").await;
    crm.enqueue(run).await;
}
