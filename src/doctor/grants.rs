//! Who may do what: not less than the service needs, and nobody more than was meant.

use postgres_types::Type;
use tokio_postgres::Client;

use super::finding::{Finding, run_sql};
use crate::migrate;

/// So many names are enough in a sentence; the statements have all of them.
const NAMED_AT_MOST: usize = 3;

/// Whether this role may do what the service and the commands do, and the functions' owner what they do.
pub(super) async fn grants(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "with wanted (is_service, what, is_granted) as (
               select true, 'usage on schema lead_mover', pg_catalog.has_schema_privilege(n.oid, 'usage')
               from pg_catalog.pg_namespace n
               where n.nspname = 'lead_mover'
               union all
               select true, 'select on lead_mover.schema_files', pg_catalog.has_table_privilege(c.oid, 'select')
               from pg_catalog.pg_class c
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'lead_mover'
                 and c.relname = 'schema_files'
               union all
               select
                 n.nspname = 'lead_mover',
                 pg_catalog.format(
                   'execute on function %I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)
                 ),
                 pg_catalog.has_function_privilege(p.oid, 'execute')
               from pg_catalog.pg_proc p
               join pg_catalog.pg_namespace n on n.oid = p.pronamespace
               where n.nspname = 'lead_mover' and p.proname in ('process_batch', 'sample')
                 or n.nspname = 'public' and p.proname = any ($1)
             )
             select
               w.is_service,
               w.what,
               pg_catalog.format('grant %s to %I', w.what, current_user),
               w.is_granted
             from wanted w
             order by w.is_service desc, w.what",
            &[(&migrate::public_functions(), Type::TEXT_ARRAY)],
        )
        .await?;
    let (mut service, mut all, mut statements) = (Vec::new(), Vec::new(), Vec::new());
    if rows.is_empty() {
        return Ok(Finding::skipped(
            "there is nothing yet that could be granted",
            "mend schema first",
        ));
    }
    for row in &rows {
        if row.try_get(3)? {
            continue;
        }
        let what: String = row.try_get(1)?;
        if row.try_get(0)? {
            service.push(what.clone());
        }
        all.push(what);
        statements.push(row.try_get(2)?);
    }
    if !service.is_empty() {
        let found = format!(
            "this role lacks what the service needs: {}",
            named(&service)
        );
        return Ok(Finding::failure(found, run_sql(&statements)));
    }
    let of_owner = missing_grants_of_owner(client).await?;
    Ok(if !of_owner.is_empty() {
        Finding::failure(
            "the functions' owner may not read or write your tables through the views",
            run_sql(&of_owner),
        )
    } else if !all.is_empty() {
        Finding::warning(
            format!(
                "the service can work, but commands such as status would be refused: this role lacks {}",
                named(&all)
            ),
            run_sql(&statements),
        )
    } else {
        Finding::ok("this role may do all that the service and the commands do")
    })
}

/// The functions act as their owner.
async fn missing_grants_of_owner(client: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "select pg_catalog.format('grant %s on lead_mover.%I to %I', w.privilege, c.relname, o.rolname)
             from (
               values ('leads', 'select'), ('leads', 'update'), ('runs', 'select'), ('columns', 'select')
             ) as w (view_name, privilege)
             join pg_catalog.pg_namespace n on n.nspname = 'lead_mover'
             join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.view_name
             join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = 'process_batch'
             join pg_catalog.pg_roles o on o.oid = p.proowner
             where not pg_catalog.has_table_privilege(o.oid, c.oid, w.privilege)
             order by c.relname, w.privilege",
            &[],
        )
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Whether anybody may call the functions who was not let in by name.
pub(super) async fn exposure(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "with ours as (
               select
                 p.oid,
                 pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as name,
                 pg_catalog.has_function_privilege(0::oid, p.oid, 'execute') as is_everybodys
               from pg_catalog.pg_proc p
               join pg_catalog.pg_namespace n on n.oid = p.pronamespace
               where n.nspname = 'lead_mover'
                 or n.nspname = 'public' and p.proname = any ($1)
             ),
             callers (rank, oid, name) as (
               select 1, 0::oid, 'public'
               union all
               select case r.rolname when 'anon' then 2 else 3 end, r.oid, r.rolname
               from pg_catalog.pg_roles r
               where r.rolname in ('anon', 'authenticated')
             )
             select c.name, pg_catalog.array_agg(o.name order by o.name)
             from callers c
             join ours o on pg_catalog.has_function_privilege(c.oid, o.oid, 'execute')
               and (c.rank = 1 or not o.is_everybodys)
             group by c.rank, c.name
             order by c.rank",
            &[(&migrate::public_functions(), Type::TEXT_ARRAY)],
        )
        .await?;
    let (mut found, mut statements) = (Vec::new(), Vec::new());
    for row in &rows {
        let (caller, functions): (String, Vec<String>) = (row.try_get(0)?, row.try_get(1)?);
        found.push(format!("{caller} may execute {}", named(&functions)));
        // Whether people who are logged in may do something is for the operator to say.
        if caller != "authenticated" {
            statements.push(format!(
                "revoke execute on function {} from {caller}",
                functions.join(", ")
            ));
        }
    }
    if !statements.is_empty() {
        return Ok(Finding::warning(found.join("; "), run_sql(&statements)));
    }
    found.insert(0, "no function is open to public or anon".to_owned());
    Ok(Finding::ok(found.join("; ")))
}

fn named(what: &[String]) -> String {
    let shown = what.iter().take(NAMED_AT_MOST);
    let shown = shown.cloned().collect::<Vec<_>>().join(", ");
    match what.len().saturating_sub(NAMED_AT_MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
