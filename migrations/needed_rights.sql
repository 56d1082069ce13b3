-- Stops where the role that installs lacks a right that the installation needs. The error names the right, and its hint
-- has the statements that give it. It reads catalogs only, and names no object that the role may not look up.
do $$
declare
  v_lead_mover constant oid := (select n.oid from pg_namespace n where n.nspname = 'lead_mover');
  v_pgmq constant oid := (select n.oid from pg_namespace n where n.nspname = 'pgmq');
  v_queue constant oid := (select c.oid from pg_class c where c.relnamespace = v_pgmq and c.relname = 'q_lead_migration_queue');
  v_archive constant oid := (select c.oid from pg_class c where c.relnamespace = v_pgmq and c.relname = 'a_lead_migration_queue');
  v_has_pgmq constant boolean := exists (select from pg_proc p where p.pronamespace = v_pgmq and p.proname = 'create');
  v_owner_of_pgmq constant text := (
    select coalesce(
      (select e.extowner from pg_extension e where e.extname = 'pgmq'),
      (select n.nspowner from pg_namespace n where n.oid = v_pgmq)
    )::regrole::text
  );
  v_role constant text := quote_ident(current_user);
  v_what text;
  v_statements text;
begin
  with queue_right (relation, privilege) as (
    values
      (v_queue, 'select'), (v_queue, 'insert'), (v_queue, 'update'), (v_queue, 'delete'),
      (v_archive, 'select'), (v_archive, 'insert')
    union all
    select v_queue, 'trigger'
    where not exists (
      select
      from pg_trigger t
      join pg_proc f on f.oid = t.tgfoid
      where t.tgrelid = v_queue
        and f.proname = 'notify_queued'
    )
  ),
  missing (position, what, statement) as (
    select
      1,
      format('create on database %I', current_database()),
      format('grant create on database %I to %s;', current_database(), v_role)
    where (v_lead_mover is null or v_pgmq is null)
      and not has_database_privilege(current_database(), 'create')
    union all
    select 2, 'create on schema public', format('grant usage, create on schema public to %s;', v_role)
    where not has_schema_privilege('public', 'create')
    union all
    -- An operator has made it for the mapping views.
    select 3, 'to own the schema lead_mover', format('alter schema lead_mover owner to %s;', v_role)
    from pg_namespace n
    where n.oid = v_lead_mover
      and not pg_has_role(n.nspowner, 'usage')
      and not exists (select from pg_class c where c.relnamespace = v_lead_mover and c.relname = 'moves')
    union all
    -- The mapping views may be others'.
    select distinct
      3,
      format('to be %s, which owns the lead mover', o.owner::regrole),
      format('-- migrate as %s, as before', o.owner::regrole)
    from (
      select c.relowner
      from pg_class c
      where c.relnamespace = v_lead_mover
        and c.relkind in ('r', 'v', 'c')
        and c.relname not in ('leads', 'runs', 'columns', 'column_names')
      union
      select p.proowner
      from pg_proc p
      where p.pronamespace = v_lead_mover
      union
      select p.proowner
      from pg_proc p
      where p.pronamespace = 'public'::regnamespace
        and p.proname ~ '^(queue|cancel|pause|resume|retry|preview|undo|control|schedule)_lead_migration$'
      union
      select p.proowner
      from pg_proc p
      where p.pronamespace = 'public'::regnamespace
        and p.proname ~ '^(process_lead_migration_batch|list_lead_migrations|get_lead_migration_[a-z_]+)$'
    ) as o (owner)
    where not pg_has_role(o.owner, 'usage')
    union all
    select
      4,
      case when v_has_pgmq then 'usage' else 'usage and create' end || ' on schema pgmq',
      format('grant usage%s on schema pgmq to %s;', case when v_has_pgmq then '' else ', create' end, v_role)
    where v_pgmq is not null
      and (
        not has_schema_privilege(v_pgmq, 'usage')
        or not v_has_pgmq and not has_schema_privilege(v_pgmq, 'create')
      )
    union all
    select
      5,
      'execute on the functions of PGMQ',
      format('grant execute on all functions in schema pgmq to %s;', v_role)
    where exists (
      select
      from pg_proc p
      where p.pronamespace = v_pgmq
        and p.proname in ('create', 'send', 'archive')
        and not has_function_privilege(p.oid, 'execute')
    )
    union all
    -- Before PGMQ 1.6 only the extension's owner can make a queue.
    select
      6,
      format('a queue that %s, which owns PGMQ, has made', v_owner_of_pgmq),
      'select pgmq.create(''lead_migration_queue'');'
    where v_has_pgmq
      and v_queue is null
      and not pg_has_role(v_owner_of_pgmq::regrole, 'usage')
      and not (
        has_schema_privilege(v_pgmq, 'create')
        and coalesce((select e.extversion !~ '^(0|1[.][0-5])([.]|$)' from pg_extension e where e.extname = 'pgmq'), true)
        and has_table_privilege((select c.oid from pg_class c where c.relnamespace = v_pgmq and c.relname = 'meta'), 'insert')
      )
    union all
    select
      7,
      'select, insert, update, delete and trigger on the tables of the queue',
      format(
        'grant select, insert, update, delete, trigger on pgmq.q_lead_migration_queue, pgmq.a_lead_migration_queue to %s;', v_role
      )
    where v_has_pgmq
      and not pg_has_role(v_owner_of_pgmq::regrole, 'usage')
      and (
        v_queue is null
        or exists (select from queue_right r where r.relation is not null and not has_table_privilege(r.relation, r.privilege))
      )
    union all
    select 8, 'select on pgmq.meta', format('grant select on pgmq.meta to %s;', v_role)
    from pg_class c
    where c.relnamespace = v_pgmq
      and c.relname = 'meta'
      and not has_table_privilege(c.oid, 'select')
  )
  select
    string_agg(m.what, ', ' order by m.position, m.what),
    string_agg(m.statement, E'\n' order by m.position, m.what)
  into v_what, v_statements
  from missing m;

  if v_what is not null then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('permission denied: the role %s needs %s', v_role, v_what),
      hint = E'As a superuser or the owner, run this, then migrate again:\n\n' || v_statements;
  end if;
end
$$;
