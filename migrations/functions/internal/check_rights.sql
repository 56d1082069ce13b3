-- The checks of lead_mover.doctor that concern rights, one row a check. A check is skipped
-- where one that it depends on failed.
--
-- `lead-mover doctor` sends the text between the $$ as a query, so that it also runs where nothing is installed,
-- on a standby, and for a role without rights. So it reads catalogs only.
create or replace function lead_mover.check_rights()
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with place as (
  select
    -- Not to_regclass or a cast: they raise an error where the role has no usage on the schema.
    (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'lead_mover') as lead_mover,
    (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'public') as public
),
relation as (
  select c.oid, c.relname
  from pg_catalog.pg_class c
  join place p on c.relnamespace = p.lead_mover
),
function as (
  select
    p.oid,
    p.proname,
    p.proowner,
    p.pronamespace = place.lead_mover as is_internal,
    pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as name
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join place on p.pronamespace = place.lead_mover or p.pronamespace = place.public and p.proname in (
    'cancel_lead_migration', 'get_lead_migration_progress', 'get_lead_migration_queue_status',
    'get_lead_migration_rejections', 'pause_lead_migration', 'process_lead_migration_batch',
    'queue_lead_migration', 'resume_lead_migration', 'retry_lead_migration'
  )
),
wanted_grant (action, what, is_granted) as (
  select 'serve', 'usage on schema lead_mover', pg_catalog.has_schema_privilege(p.lead_mover, 'usage')
  from place p
  where p.lead_mover is not null
  union all
  select 'serve', 'select on lead_mover.schema_files', pg_catalog.has_table_privilege(r.oid, 'select')
  from relation r
  where r.relname = 'schema_files'
  union all
  select
    case f.proname
      when 'queue_lead_migration' then 'queue'
      when 'cancel_lead_migration' then 'cancel'
      when 'get_lead_migration_progress' then 'progress'
      when 'get_lead_migration_rejections' then 'progress'
      when 'get_lead_migration_queue_status' then 'status'
      when 'process_lead_migration_batch' then 'process'
      when 'process_batch' then 'serve'
      when 'sample' then 'serve'
      else 'control'
    end,
    'execute on function ' || f.name, pg_catalog.has_function_privilege(f.oid, 'execute')
  from function f
  where not f.is_internal or f.proname in ('process_batch', 'sample')
),
missing_grant as (
  select
    count(*) filter (where not w.is_granted and w.action = 'serve') as of_service,
    count(*) filter (where not w.is_granted) as of_all,
    pg_catalog.array_agg(w.what order by w.what) filter (where not w.is_granted and w.action = 'serve') as service_names,
    pg_catalog.array_agg(w.what order by w.action = 'serve' desc, w.what) filter (where not w.is_granted) as all_names,
    pg_catalog.format(
      'select lead_mover.open_to(%L, %L, p_all_runs => true)',
      current_user,
      pg_catalog.array_agg(distinct w.action order by w.action) filter (where not w.is_granted)
    ) as statements
  from wanted_grant w
),
-- The functions run with their owner's rights.
missing_grant_of_owner (statements) as (
  select pg_catalog.string_agg(
    pg_catalog.format('grant %s on lead_mover.%I to %I', w.privilege, r.relname, o.rolname), '; '
    order by r.relname, w.privilege
  )
  from (
    values ('leads', 'select'), ('leads', 'update'), ('runs', 'select'), ('columns', 'select')
  ) as w (view_name, privilege)
  join relation r on r.relname = w.view_name
  join function f on f.is_internal and f.proname = 'process_batch'
  join pg_catalog.pg_roles o on o.oid = f.proowner
  where not pg_catalog.has_table_privilege(o.oid, r.oid, w.privilege)
),
grants as (
  select
    'grants',
    case
      when not exists (select from function) then 'skipped'
      when m.of_service > 0 or o.statements is not null then 'failure'
      when m.of_all > 0 then 'warning'
      else 'ok'
    end,
    case
      when not exists (select from function) then 'skipped: check `schema` failed'
      when m.of_service > 0 then 'this role lacks what the service needs: ' || s.names
      when o.statements is not null then
        'the functions'' owner may not read or write your tables through the views'
      when m.of_all > 0 then
        'the service can work, but commands such as status would be denied: this role lacks ' || a.names
      else 'this role may do all that the service and the commands do'
    end,
    case
      when not exists (select from function) then 'fix it first'
      when m.of_service = 0 and o.statements is not null then pg_catalog.format('run: %s;', o.statements)
      else pg_catalog.format('run: %s;', m.statements)
    end
  from missing_grant m
  cross join missing_grant_of_owner o
  cross join lateral (
    select pg_catalog.array_to_string(m.service_names[:3], ', ')
      || case when m.of_service > 3 then pg_catalog.format(' and %s more', m.of_service - 3) else '' end as names
  ) s
  cross join lateral (
    select pg_catalog.array_to_string(m.all_names[:3], ', ')
      || case when m.of_all > 3 then pg_catalog.format(' and %s more', m.of_all - 3) else '' end as names
  ) a
),
checks (check_name, status, found, advice) as (
  select * from grants
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_rights()');

comment on function lead_mover.check_rights() is 'The checks of lead_mover.doctor that concern rights: what this role and the functions'' owner lack.';
