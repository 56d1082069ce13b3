//! Private by default: what `migrate` grants, and what it leaves as operators have granted it.

use lead_mover::migrate;

use crate::support::Database;

const PUBLIC_FUNCTIONS: [&str; 9] = [
    "cancel_lead_migration(uuid)",
    "get_lead_migration_progress(uuid)",
    "get_lead_migration_queue_status()",
    "get_lead_migration_rejections(bigint)",
    "pause_lead_migration(uuid)",
    "process_lead_migration_batch(integer)",
    "queue_lead_migration(uuid,uuid,uuid,integer)",
    "resume_lead_migration(uuid)",
    "retry_lead_migration(uuid)",
];

/// Installed where roles and default privileges are Supabase's.
async fn as_on_supabase() -> Database {
    let database = Database::empty().await;
    database
        .run(
            "alter default privileges in schema public
               grant all on functions to anon, authenticated, service_role;
             alter default privileges in schema public
               grant all on tables to anon, authenticated, service_role",
        )
        .await;
    migrate::install(&database.settings(), true)
        .await
        .expect("it installs");
    database
}

/// The functions of ours that a role may execute.
async fn executable_by(database: &Database, role: &str) -> Vec<String> {
    database
        .value(
            "select coalesce(array_agg(p.oid::regprocedure::text order by p.oid::regprocedure::text collate \"C\"), '{}')
             from pg_proc p
             where (p.pronamespace = 'lead_mover'::regnamespace or p.proname like '%lead_migration%')
               and has_function_privilege($1::text, p.oid, 'execute')",
            &[&role],
        )
        .await
}

#[tokio::test]
async fn nobody_may_execute_any_function_but_service_role() {
    for database in [as_on_supabase().await, Database::new().await] {
        let ours: i64 = database
            .value(
                "select count(*) from pg_proc where pronamespace = 'lead_mover'::regnamespace",
                &[],
            )
            .await;
        assert!(ours > 10, "only {ours} internal functions");

        for role in ["public", "anon", "authenticated", "lead_mover_stranger"] {
            assert_eq!(
                executable_by(&database, role).await,
                Vec::<String>::new(),
                "{role}"
            );
        }
        let mut of_service_role = executable_by(&database, "service_role").await;
        of_service_role.retain(|function| !function.starts_with("lead_mover."));
        assert_eq!(of_service_role, PUBLIC_FUNCTIONS);
    }
}

#[tokio::test]
async fn service_role_may_call_all_nine() {
    // Where no default privileges are Supabase's, the tables are closed to it.
    for database in [as_on_supabase().await, Database::new().await] {
        let crm = database.crm().await;
        let run = crm.run_of(150).await;
        database.run("set role service_role").await;

        assert_eq!(crm.enqueue(run).await["total"], 150);
        for control in ["pause", "resume", "cancel", "retry"] {
            let answer = crm.control(&format!("{control}_lead_migration"), run).await;
            assert_eq!(answer["success"], true, "{control}");
        }
        crm.enqueue(run).await;
        assert_eq!(crm.process().await.expect("it is due").leads_moved, 100);
        assert_eq!(crm.status(run).await, "processing");
        for call in [
            "get_lead_migration_queue_status()",
            "get_lead_migration_rejections(1)",
        ] {
            database.run(&format!("select * from public.{call}")).await;
        }
    }
}

#[tokio::test]
async fn what_an_operator_granted_survives_an_upgrade_and_nothing_is_added() {
    let database = as_on_supabase().await;
    database
        .run(
            "grant execute on function public.get_lead_migration_progress(uuid) to authenticated;
             revoke execute on function public.cancel_lead_migration(uuid) from service_role;
             update lead_mover.schema_files set checksum = 'x' where path not like 'versioned/%'",
        )
        .await;

    let applied = migrate::install(&database.settings(), false)
        .await
        .expect("it installs again");

    assert!(applied.contains(&"functions/public/get_lead_migration_progress.sql"));
    assert!(applied.contains(&"functions/public/cancel_lead_migration.sql"));
    assert_eq!(
        executable_by(&database, "authenticated").await,
        ["get_lead_migration_progress(uuid)"]
    );
    let of_service_role = executable_by(&database, "service_role").await;
    assert!(!of_service_role.contains(&"cancel_lead_migration(uuid)".to_owned()));
    assert!(of_service_role.contains(&"pause_lead_migration(uuid)".to_owned()));
    for role in ["public", "anon"] {
        assert_eq!(executable_by(&database, role).await, Vec::<String>::new());
    }
}
