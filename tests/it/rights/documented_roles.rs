//! An installation with the documented roles, and its functions.

use std::collections::BTreeMap;

use lead_mover::migrate;
use tokio_postgres::error::SqlState;

use crate::support::{Database, Session, owner, worker};

const MATRIX: &str = include_str!("../../../migrations/README.md");

/// Installed by an owner who is no superuser, where default privileges are Supabase's, and with the
/// two openings of docs/use.md: those of `serve` for one role, those of the commands for another.
pub(super) async fn as_documented() -> Database {
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
pub(super) fn documented() -> BTreeMap<&'static str, Vec<bool>> {
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

/// A function of the lead mover, a call of it that has nothing but nulls, and whether it runs as its owner.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) call: String,
    pub(crate) is_definer: bool,
}

/// Whether the statement fails for want of a right to an object; undone in any case.
pub(crate) async fn is_denied(session: &Session, statement: &str) -> bool {
    session.batch_execute("begin").await.unwrap();
    let outcome = session.batch_execute(statement).await;
    session.batch_execute("rollback").await.unwrap();
    outcome.is_err_and(|error| {
        let error = error.as_db_error().expect("the server answers");
        *error.code() == SqlState::INSUFFICIENT_PRIVILEGE
            && (error.message().starts_with("permission denied")
                || error.message().starts_with("must be owner"))
    })
}

/// All but triggers, which no role can call.
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
