-- The objects whose grants lead_mover.open_to keeps: kind and name as in a grant, owner, and access control list.
create or replace function lead_mover.opened_objects()
returns table (kind text, name text, owner_id oid, acl aclitem[])
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select 'function', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
  from pg_proc p
  where p.pronamespace = 'lead_mover'::regnamespace and p.proname <> 'may'
    or p.pronamespace = 'public'::regnamespace and p.proname in (
      'cancel_lead_migration', 'get_lead_migration_progress', 'get_lead_migration_queue_status',
      'get_lead_migration_rejections', 'pause_lead_migration', 'process_lead_migration_batch',
      'queue_lead_migration', 'resume_lead_migration', 'retry_lead_migration'
    )
  union all
  select 'table', c.oid::regclass::text, c.relowner, coalesce(c.relacl, acldefault('r', c.relowner))
  from pg_class c
  where c.relnamespace = 'lead_mover'::regnamespace
    and c.relkind in ('r', 'v')
  union all
  -- A grant on columns is taken away by a revoke on the table.
  select 'table', a.attrelid::regclass::text, c.relowner, a.attacl
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'lead_mover'::regnamespace
    and c.relkind in ('r', 'v')
    and a.attacl is not null
  union all
  select 'schema', n.nspname::text, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
  from pg_namespace n
  where n.nspname = 'lead_mover';
end
$$;

select lead_mover.make_private('lead_mover.opened_objects()');

comment on function lead_mover.opened_objects() is 'The objects whose grants lead_mover.open_to keeps.';
