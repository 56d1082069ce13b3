-- The privileges that lead_mover.open_to keeps, as they are now: kind and name of the object as in a grant, privilege,
-- column where the privilege is on one, and role; null stands for PUBLIC. Those of owners are left out.
create or replace function lead_mover.opened_objects()
returns table (kind text, name text, privilege text, attribute text, role_name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with object as (
    select
      'function' as kind,
      p.oid::regprocedure::text as name,
      null::text as attribute,
      p.proowner as owner_id,
      coalesce(p.proacl, acldefault('f', p.proowner)) as acl
    from pg_proc p
    where p.pronamespace = 'lead_mover'::regnamespace and p.proname <> 'may'
      or p.pronamespace = 'public'::regnamespace and p.proname in (
        'cancel_lead_migration', 'get_lead_migration_progress', 'get_lead_migration_queue_status',
        'get_lead_migration_rejections', 'pause_lead_migration', 'process_lead_migration_batch',
        'queue_lead_migration', 'resume_lead_migration', 'retry_lead_migration'
      )
    union all
    select 'table', c.oid::regclass::text, null, c.relowner, c.relacl
    from pg_class c
    where c.relnamespace = 'lead_mover'::regnamespace
      and c.relkind in ('r', 'v')
    union all
    select 'table', c.oid::regclass::text, a.attname::text, c.relowner, a.attacl
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'lead_mover'::regnamespace
      and c.relkind in ('r', 'v')
    union all
    select 'schema', n.nspname::text, null, n.nspowner, n.nspacl
    from pg_namespace n
    where n.nspname = 'lead_mover'
  )
  select o.kind, o.name, a.privilege_type, o.attribute, r.rolname::text
  from object o
  cross join lateral aclexplode(o.acl) a
  left join pg_roles r on r.oid = a.grantee
  where a.grantee <> o.owner_id
    -- A role that owns the schema may own it and not the views, or the other way round.
    and a.grantee <> (select n.nspowner from pg_namespace n where n.nspname = 'lead_mover');
end
$$;

select lead_mover.make_private('lead_mover.opened_objects()');

comment on function lead_mover.opened_objects() is 'The privileges that lead_mover.open_to keeps, as they are now.';
