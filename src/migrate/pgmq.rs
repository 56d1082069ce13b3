//! The steps that make PGMQ and the queue, where a database does not have them.

use super::QUEUE;
use super::steps::Step;

/// By the catalogs, and not by `to_regproc`: what a session has once looked up by name and not found, it may not
/// find later in the same transaction either.
pub(super) fn pgmq() -> Step {
    #[cfg(feature = "embedded-pgmq")]
    let own_sql = pgmq_installer::statements();
    #[cfg(not(feature = "embedded-pgmq"))]
    let own_sql = "
raise exception using
  errcode = 'undefined_object',
  message = 'PGMQ is missing: install the extension pgmq on the server, or use a build of lead-mover with the feature embedded-pgmq';
";
    Step {
        name: "PGMQ",
        sql: format!(
            "do $install$
begin
  if exists (
    select
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'pgmq'
      and p.proname = 'create'
  )
  then
    return;
  end if;

  if exists (select from pg_catalog.pg_available_extensions e where e.name = 'pgmq') then
    create extension pgmq;
    return;
  end if;

  set local search_path to default;
{own_sql}end
$install$;
"
        ),
    }
}

/// As an application would, with its search path: some releases of PGMQ name their objects without a schema. A copy
/// of the schema alone has the tables, and not the row of `pgmq.meta`.
pub(super) fn queue() -> Step {
    Step {
        name: "queue",
        sql: format!(
            "do $queue$
begin
  if not exists (
    select
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'pgmq'
      and c.relname = 'q_{QUEUE}'
  )
    or not exists (select from pgmq.meta m where m.queue_name = '{QUEUE}')
  then
    set local search_path to default;
    perform pgmq.create('{QUEUE}'::text);
  end if;
end
$queue$;
"
        ),
    }
}
