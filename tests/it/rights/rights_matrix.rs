//! Role by function: who may call what, as `migrations/README.md` has it.

use std::collections::BTreeMap;

use lead_mover::migrate;
use tokio_postgres::error::SqlState;

use crate::support::{Database, Session, owner, worker};

const MATRIX: &str = include_str!("../../../migrations/README.md");

/// Installed by an owner who is no superuser, where default privileges are Supabase's, and with the
/// two grants of docs/use.md: those of `serve` for one role, those of the commands for another.
async fn as_documented() -> Database {
    let (database, owner) = (Database::empty().await, owner());
    database
        .run(&format!(
            "alter database {} owner to {owner};
             grant create on schema public to {owner};
             alter default privileges for role {owner} in schema public
               grant all on functions to anon, authenticated, service_role;
             alter default privileges for role {owner} in schema public
               grant all on tables to anon, authenticated, service_role",
            database.name()
        ))
        .await;
    migrate::install(&database.settings_as(&owner), true)
        .await
        .expect("it installs");
    database.grant_service_rights(&worker()).await;
    database.grant_command_rights("lead_mover_stranger").await;
    database
}

/// The cells of the matrix: for each function whether the roles of its columns may call it.
fn documented() -> BTreeMap<&'static str, Vec<bool>> {
    MATRIX
        .lines()
        .skip_while(|line| *line != "## Rights")
        .filter(|line| line.starts_with("| ") && !line.starts_with("| function"))
        .take_while(|line| !line.starts_with("| code"))
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let function = cells.next()?.trim_matches('`');
            let rights = cells.map(|cell| match cell {
                "yes" => true,
                "–" => false,
                other => panic!("{other:?} is no right"),
            });
            Some((function, rights.collect()))
        })
        .collect()
}

/// A function of ours, a call of it that has nothing but nulls, and whether it runs as its owner.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) call: String,
    is_definer: bool,
}

/// Whether the statement fails for want of a right; undone in any case.
pub(crate) async fn is_denied(session: &Session, statement: &str) -> bool {
    session.batch_execute("begin").await.unwrap();
    let outcome = session.batch_execute(statement).await;
    session.batch_execute("rollback").await.unwrap();
    outcome.is_err_and(|error| error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE))
}

/// All but triggers, which nobody can call.
pub(crate) async fn functions(database: &Database) -> Vec<Function> {
    let rows = database
        .session()
        .query(
            "select
               p.oid::regprocedure::text,
               format('select %I.%I(%s)', p.pronamespace::regnamespace, p.proname, (
                 select string_agg(
                   'null::' || case t when 'anyarray' then 'uuid[]' when 'anyelement' then 'uuid' else t end, ', ' order by n
                 )
                 from unnest(p.proargtypes::regtype[]::text[]) with ordinality as a (t, n)
               )),
               p.prosecdef
             from pg_proc p
             where (p.pronamespace = 'lead_mover'::regnamespace or p.proname like '%lead_migration%')
               and p.prorettype <> 'trigger'::regtype
             order by 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter()
        .map(|row| Function {
            name: row.get(0),
            call: row.get(1),
            is_definer: row.get(2),
        })
        .collect()
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
                let refused = is_denied(&session, &function.call).await;
                assert_eq!(refused, !rights[column], "{} as {role}", function.name);
            }
        }
    }
    for function in &functions {
        let named = documented.remove(function.name.as_str()).is_some();
        assert!(named || function.name.starts_with("lead_mover."));
        assert_eq!(function.is_definer, named, "{}", function.name);
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
            let granted = ["lead_mover.process_batch(integer)", "lead_mover.sample()"];
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
    assert_eq!(relations.len(), 10, "{relations:?}");

    for role in [
        "anon",
        "authenticated",
        "service_role",
        "lead_mover_stranger",
        &worker(),
    ] {
        let session = database.open_in_role(role).await;
        for relation in &relations {
            let mut statements = vec![format!("select from {relation}")];
            // Nobody can write to the view of sums.
            if relation != "lead_mover.progress" {
                statements.push(format!("delete from {relation}"));
                statements.push(format!("insert into {relation} default values"));
            }
            for statement in statements {
                let granted =
                    role == worker() && statement == "select from lead_mover.schema_files";
                let refused = is_denied(&session, &statement).await;
                assert_eq!(refused, !granted, "{role}: {statement}");
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
