//! Who may call and read what: nobody, until it is granted; role by function, as `migrations/README.md` has it.

use lead_mover::migrate;

use super::documented_roles::{as_documented, documented, functions, is_denied};
use crate::support::{Database, owner, worker};

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

/// Those that run with the rights of their caller, for the public functions.
const CHECKS: [&str; 5] = [
    "lead_mover.actor(",
    "lead_mover.is_trusted(",
    "lead_mover.printable(",
    "lead_mover.sees_run(",
    "lead_mover.views_of_owner(",
];

/// Those that run with the rights of their owner.
const DEFINERS: [&str; 6] = [
    "get_lead_migration_queue_status()",
    "lead_mover.next_message_id()",
    "lead_mover.process_batch(integer)",
    "lead_mover.record_lost_batch(bigint,text,text)",
    "lead_mover.sample()",
    "process_lead_migration_batch(integer)",
];

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
    let database = Database::new().await;
    for role in ["public", "anon", "authenticated", "lead_mover_stranger"] {
        assert_eq!(
            executable_by(&database, role).await,
            Vec::<String>::new(),
            "{role}"
        );
    }
    let mut of_service_role = executable_by(&database, "service_role").await;
    of_service_role.retain(|function| !CHECKS.iter().any(|check| function.starts_with(check)));
    assert_eq!(of_service_role, PUBLIC_FUNCTIONS);
}

/// Where default privileges are not Supabase's, the tables are closed to it.
#[tokio::test]
async fn service_role_may_call_all_nine() {
    let database = Database::new().await;
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

#[tokio::test]
async fn what_an_operator_opened_survives_an_upgrade_and_nothing_else_does() {
    let database = as_documented().await;
    database
        .run(
            "select lead_mover.open_to('lead_mover_stranger', array['progress'], true);
             grant execute on function public.cancel_lead_migration(uuid) to authenticated;
             revoke execute on function public.get_lead_migration_progress(uuid) from lead_mover_stranger;
             update lead_mover.schema_files set checksum = 'x' where path not like 'versioned/%'",
        )
        .await;

    let applied = migrate::install(&database.settings_as(&owner()), false)
        .await
        .expect("it installs again");

    assert!(applied.contains(&"functions/public/get_lead_migration_progress.sql".to_owned()));
    assert!(applied.contains(&"functions/public/cancel_lead_migration.sql".to_owned()));
    let of_stranger = executable_by(&database, "lead_mover_stranger").await;
    assert!(of_stranger.contains(&"get_lead_migration_progress(uuid)".to_owned()));
    for role in ["public", "anon", "authenticated"] {
        assert_eq!(executable_by(&database, role).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_matrix_is_what_happens_when_each_role_calls_each_function() {
    let database = as_documented().await;
    let (worker, owner) = (worker(), owner());
    let columns: [&[&str]; 5] = [
        &["anon", "authenticated"],
        &["service_role"],
        &[&worker],
        &["lead_mover_stranger"],
        &[&owner],
    ];
    let mut documented = documented();
    let others = documented
        .remove("any other of `lead_mover")
        .expect("its last row");
    let functions = functions(&database).await;
    assert!(functions.len() > 30, "only {} functions", functions.len());

    for (column, roles) in columns.iter().enumerate() {
        for role in *roles {
            let session = database.open_in_role(role).await;
            for function in &functions {
                let rights = documented.get(function.name.as_str()).unwrap_or(&others);
                assert_eq!(rights.len(), columns.len(), "{}", function.name);
                let denied = is_denied(&session, &function.call).await;
                assert_eq!(denied, !rights[column], "{} as {role}", function.name);
            }
        }
    }
    for function in &functions {
        let named = documented.remove(function.name.as_str()).is_some();
        assert!(named || function.name.starts_with("lead_mover."));
        let is_definer = DEFINERS.contains(&function.name.as_str());
        assert_eq!(function.is_definer, is_definer, "{}", function.name);
    }
    assert!(documented.is_empty(), "not there: {:?}", documented.keys());
}

/// Where an operator has opened the schema, each function still has a lock of its own.
#[tokio::test]
async fn usage_on_the_schema_opens_no_function() {
    let database = as_documented().await;
    database
        .run("grant usage on schema lead_mover to public")
        .await;

    for role in ["anon", "authenticated", &worker()] {
        let session = database.open_in_role(role).await;
        for function in functions(&database).await {
            let granted = [
                "lead_mover.next_message_id()",
                "lead_mover.process_batch(integer)",
                "lead_mover.record_lost_batch(bigint,text,text)",
                "lead_mover.sample()",
            ];
            if role == worker() && granted.contains(&function.name.as_str()) {
                continue;
            }
            let error = session
                .batch_execute(&function.call)
                .await
                .expect_err(&function.call);
            let said = error.as_db_error().expect("the server answers").message();
            assert!(
                said.starts_with("permission denied for function "),
                "{role}: {}: {said}",
                function.call
            );
        }
    }
}

#[tokio::test]
async fn tables_views_and_the_queue_are_closed_to_everybody_but_their_owner() {
    let database = as_documented().await;
    let relations: Vec<String> = database
        .value(
            "select array_agg(c.oid::regclass::text order by 1)
             from pg_class c
             where c.relkind in ('r', 'p', 'v', 'm')
               and (c.relnamespace = 'lead_mover'::regnamespace or c.relname like '%lead_migration_queue')",
            &[],
        )
        .await;
    assert_eq!(relations.len(), 15, "{relations:?}");

    for role in ["anon", "authenticated", &worker()] {
        let session = database.open_in_role(role).await;
        for relation in &relations {
            let mut statements = vec![format!("select from {relation}")];
            // Nobody can write to the view of sums, or delete a request.
            if !["lead_mover.progress", "lead_mover.requests"].contains(&relation.as_str()) {
                statements.push(format!("delete from {relation}"));
                statements.push(format!("insert into {relation} default values"));
            }
            for statement in statements {
                let granted = role == worker()
                    && ["schema_files", "openings"]
                        .iter()
                        .any(|table| statement == format!("select from lead_mover.{table}"));
                let denied = is_denied(&session, &statement).await;
                assert_eq!(denied, !granted, "{role}: {statement}");
            }
        }
    }
}

/// The catalogs say the same: rights on ours that are neither the owner's nor granted by the operator.
#[tokio::test]
async fn nothing_leaks_through_default_privileges() {
    let database = as_documented().await;
    let leaked: Vec<String> = database
        .value(
            "select coalesce(array_agg(distinct format('%s: %s to %s', o.object, a.privilege_type,
               case a.grantee when 0 then 'public' else a.grantee::regrole::text end)), '{}')
             from (
               select n.nspname::text as object, coalesce(n.nspacl, acldefault('n', n.nspowner)) as acl, n.nspowner as owner
               from pg_namespace n where n.nspname in ('lead_mover', 'pgmq')
               union all
               select c.oid::regclass::text, coalesce(c.relacl, acldefault('r', c.relowner)), c.relowner
               from pg_class c
               where c.relkind in ('r', 'v', 'S') and c.relnamespace::regnamespace::text in ('lead_mover', 'pgmq')
               union all
               select p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
               from pg_proc p
               where p.pronamespace = 'lead_mover'::regnamespace or p.proname like '%lead_migration%'
             ) o
             cross join lateral aclexplode(o.acl) a
             where a.grantee <> o.owner
               and a.grantee not in (
                 select r.oid from pg_roles r
                 where r.rolname in ('service_role', 'lead_mover_stranger', 'pg_monitor', $1)
               )",
            &[&worker()],
        )
        .await;
    assert_eq!(leaked, Vec::<String>::new());
}
