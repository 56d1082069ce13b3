-- The checks of lead_mover.doctor that concern what others may do, one row a check.
--
-- `lead-mover doctor` sends the text between the $$ as a query, as that of check_rights: it reads catalogs only, and
-- the table of openings where this role may.
create or replace function lead_mover.check_exposure()
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with recursive place as (
  select
    (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'lead_mover') as lead_mover,
    (select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'lead_mover') as owner,
    (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'public') as public
),
relation as (
  select c.oid, c.relname, c.relowner, c.relacl
  from pg_catalog.pg_class c
  join place p on c.relnamespace = p.lead_mover
  where c.relkind in ('r', 'v')
),
function as (
  select
    p.proowner,
    p.proacl,
    pg_catalog.format('%I.%I', n.nspname, p.proname) as name,
    a.action
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join place on n.oid = place.lead_mover or n.oid = place.public
  left join (
    values
      ('queue_lead_migration', 'queue'), ('get_lead_migration_progress', 'progress'),
      ('get_lead_migration_rejections', 'progress'), ('cancel_lead_migration', 'cancel'),
      ('pause_lead_migration', 'control'), ('resume_lead_migration', 'control'), ('retry_lead_migration', 'control'),
      ('get_lead_migration_queue_status', 'status'), ('process_lead_migration_batch', 'process')
  ) as a (name, action) on a.name = p.proname and n.oid = place.public
  where (n.oid = place.lead_mover and p.proname <> 'may' or a.action is not null)
    and p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
),
openings as (
  select
    o.oid,
    pg_catalog.has_table_privilege(o.oid, 'select') and pg_catalog.has_schema_privilege(p.lead_mover, 'usage') as is_readable,
    coalesce(pg_catalog.obj_description(o.oid, 'pg_class'), '') not like '%Openings: []' as had_rows
  from relation o
  cross join place p
  where o.relname = 'openings'
),
opening as (
  select r.oid, x.action, x.all_runs
  from openings o
  cross join lateral xmltable(
    '/table/row'
    passing pg_catalog.query_to_xml('select role_name, action, all_runs from lead_mover.openings', false, false, '')
    columns role_name text, action text, all_runs boolean
  ) x
  join pg_catalog.pg_roles r on r.rolname = x.role_name
  where o.is_readable
),
readable as (
  select
    coalesce(pg_catalog.bool_or(o.is_readable), false) as is_readable,
    -- A copy without rows has only the comment that says what was open.
    coalesce(pg_catalog.bool_or(o.had_rows), false) and not exists (select from opening) as is_copy
  from openings o
),
granted as (
  select a.grantee, f.name
  from function f
  cross join lateral pg_catalog.aclexplode(coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner))) a
  where a.grantee <> f.proowner
    and a.grantee <> (select p.owner from place p)
    and not exists (select from opening o where o.oid = a.grantee and (f.action is null or o.action = f.action))
  union
  select a.grantee, 'lead_mover.' || r.relname
  from relation r
  cross join lateral pg_catalog.aclexplode(r.relacl) a
  where a.grantee <> r.relowner
    and a.grantee <> (select p.owner from place p)
    and not exists (select from opening o where o.oid = a.grantee)
),
open_to as (
  select
    case when g.grantee = 0 then 'public' else r.rolname end as role_name,
    g.grantee = 0 or r.rolname in ('anon', 'authenticated') as is_closed_by_migrate,
    pg_catalog.count(*) as number,
    pg_catalog.array_agg(g.name order by g.name) as names
  from granted g
  left join pg_catalog.pg_roles r on r.oid = g.grantee
  group by g.grantee, r.rolname
),
exposure as (
  select
    pg_catalog.string_agg(
      pg_catalog.format(
        '%s may use %s%s', o.role_name, pg_catalog.array_to_string(o.names[:3], ', '),
        case when o.number > 3 then pg_catalog.format(' and %s more', o.number - 3) else '' end
      ),
      '; ' order by o.role_name
    ) as found,
    pg_catalog.concat_ws(
      ' ',
      case when pg_catalog.bool_or(o.is_closed_by_migrate) then 'run: lead-mover migrate, which closes it;' end,
      pg_catalog.string_agg(
        pg_catalog.format('run: select lead_mover.close_to(%L);', o.role_name), ' ' order by o.role_name
      ) filter (where not o.is_closed_by_migrate),
      'what a role is to do is opened by lead_mover.open_to'
    ) as advice
  from open_to o
),
exposed_schema as (
  select pg_catalog.string_agg(coalesce(r.rolname, 'all roles'), ', ') as roles
  from pg_catalog.pg_db_role_setting s
  cross join lateral pg_catalog.unnest(s.setconfig) c
  left join pg_catalog.pg_roles r on r.oid = s.setrole
  where c like 'pgrst.db_schemas=%'
    and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()))
    and 'lead_mover' = any (
      pg_catalog.string_to_array(pg_catalog.translate(pg_catalog.split_part(c, '=', 2), ' "', ''), ',')
    )
),
-- Whose row level security applies to what a view reads: that of who reads it, or of its owner.
used as (
  select c.oid, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, f.proowner as reader
  from function f
  join pg_catalog.pg_class c on c.relnamespace = (select p.lead_mover from place p)
  where f.name = 'lead_mover.process_batch'
    and c.relname in ('leads', 'runs', 'columns')
  union
  select
    c.oid, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
    case
      when exists (
        select
        from pg_catalog.pg_options_to_table(u.reloptions) o
        where o.option_name = 'security_invoker' and o.option_value::boolean
      ) then u.reader
      else u.relowner
    end
  from used u
  join pg_catalog.pg_rewrite r on r.ev_class = u.oid
  join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  join pg_catalog.pg_class c on c.oid = d.refobjid
  where u.relkind = 'v'
    and c.oid <> u.oid
),
of_owner as (
  select pg_catalog.string_agg(distinct u.relname, ', ' order by u.relname) as names
  from used u
  where u.relkind = 'v'
    and not exists (
      select
      from pg_catalog.pg_options_to_table(u.reloptions) o
      where o.option_name = 'security_invoker' and o.option_value::boolean
    )
),
hidden as (
  select
    pg_catalog.string_agg(distinct u.relname, ', ' order by u.relname) as tables,
    pg_catalog.min(r.rolname) as reader
  from used u
  join pg_catalog.pg_roles r on r.oid = u.reader
  where u.relkind in ('r', 'p')
    and u.relrowsecurity
    and not r.rolsuper
    and not r.rolbypassrls
    and (u.relforcerowsecurity or not pg_catalog.pg_has_role(u.reader, u.relowner, 'usage'))
),
checks (check_name, status, found, advice) as (
  select
    'exposure',
    case
      when not exists (select from function) or not r.is_readable or r.is_copy then 'skipped'
      when e.found is not null or s.roles is not null or o.names is not null then 'failure'
      else 'ok'
    end,
    case
      when not exists (select from function) or r.is_copy then 'skipped: check `schema` failed'
      when not r.is_readable then 'skipped: this role may not read lead_mover.openings'
      when s.roles is not null then 'PostgREST exposes the schema lead_mover: pgrst.db_schemas of ' || s.roles
      when o.names is not null then 'users see every row of these views, and so every run: ' || o.names
      when e.found is not null then e.found || ', and lead_mover.open_to has not opened it'
      else 'nothing is open that lead_mover.open_to has not opened'
    end,
    case
      when not exists (select from function) or r.is_copy then 'fix it first'
      when not r.is_readable then 'run doctor as the owner of the functions'
      when s.roles is not null then 'take lead_mover out of the exposed schemas: the public functions are all that callers need'
      when o.names is not null then 'run: lead-mover migrate; then alter view ... set (security_invoker = true) for views of yours'
      else e.advice
    end
  from readable r
  cross join exposure e
  cross join exposed_schema s
  cross join lateral (
    select case when exists (select from opening p where not p.all_runs) then v.names end as names
    from of_owner v
  ) o
  union all
  select
    'row_security',
    case when not exists (select from function) then 'skipped' when h.tables is not null then 'failure' else 'ok' end,
    case
      when not exists (select from function) then 'skipped: check `schema` failed'
      when h.tables is not null then pg_catalog.format(
        'policies would hide rows of %s from %s, and each move would fail', h.tables, h.reader
      )
      else 'no policy hides rows from the functions'
    end,
    case
      when not exists (select from function) then 'fix it first'
      when h.tables is not null then pg_catalog.format(
        'run: alter role %I bypassrls; or make it the owner of %s, without force row level security', h.reader, h.tables
      )
    end
  from hidden h
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_exposure()');

comment on function lead_mover.check_exposure() is 'The checks of lead_mover.doctor that concern what others may do, and whose row level security applies.';
