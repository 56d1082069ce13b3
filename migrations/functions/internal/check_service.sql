-- The checks of lead_mover.doctor that concern what works on the queue and what users see of it, one row a check.
--
-- `lead-mover doctor` sends the text between the $$ as a query, so that it also runs where nothing is installed,
-- on a standby, and for a role without rights. So it reads catalogs only, and the jobs of pg_cron where it may.
create or replace function lead_mover.check_service()
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with place as (
  select
    exists (
      select
      from pg_catalog.pg_proc f
      join pg_catalog.pg_namespace n on n.oid = f.pronamespace
      where n.nspname = 'lead_mover' and f.proname = 'process_batch'
    ) as is_installed,
    (
      select pg_catalog.count(*)
      from pg_catalog.pg_stat_activity a
      where a.datname = pg_catalog.current_database()
        and a.application_name like 'lead-mover worker %'
    ) as workers,
    -- A table that may not be there cannot be named, but in a text. Other roles' jobs are hidden.
    (
      select pg_catalog.substring(
        pg_catalog.query_to_xml(
          'select j.schedule from cron.job j where j.active and j.database operator(pg_catalog.=) '
            'pg_catalog.current_database() and pg_catalog.strpos(j.command, ''lead_mover.process_batch'') operator(pg_catalog.>) 0',
          false, true, ''
        )::text,
        '<schedule>([^<]*)<'
      )
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'cron'
        and c.relname = 'job'
        and pg_catalog.has_schema_privilege(n.oid, 'usage')
        and pg_catalog.has_table_privilege(c.oid, 'select')
    ) as schedule
),
service as (
  select
    'service',
    case
      when not p.is_installed then 'skipped'
      when p.workers = 0 and p.schedule is null then 'warning'
      else 'ok'
    end,
    case
      when not p.is_installed then 'skipped: check `schema` failed'
      when p.workers > 0 then pg_catalog.format('%s workers of a service work on the queue', p.workers)
      when p.schedule is not null then pg_catalog.format('pg_cron works on the queue: %s', p.schedule)
      else 'no service works on the queue, and no schedule of pg_cron that this role can see'
    end,
    case
      when not p.is_installed then 'fix it first'
      else 'start the service (lead-mover serve), or, where there is no place for one, run: select lead_mover.schedule();'
    end
  from place p
),
-- The tables behind the view, through other views, and the partitions of those.
table_behind as (
  select x.oid
  from (
    with recursive behind as (
      select c.oid, c.relkind
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'lead_mover' and c.relname = 'leads'
      union
      select t.oid, t.relkind
      from behind b
      join pg_catalog.pg_rewrite r on r.ev_class = b.oid
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.refobjsubid > 0
      join pg_catalog.pg_class t on t.oid = d.refobjid
      where b.relkind = 'v'
    )
    select b.oid from behind b where b.relkind in ('r', 'p')
  ) x
),
published as (
  select
    pg_catalog.string_agg(pg_catalog.format('%I.%I', p.schemaname, p.tablename), ', ' order by p.tablename) as names
  from table_behind b
  join pg_catalog.pg_class c on c.oid = b.oid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_publication_tables p on p.schemaname = n.nspname and p.tablename = c.relname
  where p.pubname = 'supabase_realtime'
),
realtime as (
  select
    'realtime',
    case
      when not l.is_installed then 'skipped'
      when p.names is not null then 'warning'
      else 'ok'
    end,
    case
      when not l.is_installed then 'skipped: check `schema` failed'
      when p.names is not null then
        pg_catalog.format('Realtime sends an event for each lead that is moved: %s is in supabase_realtime', p.names)
      else 'no table of the leads is published to Supabase''s Realtime'
    end,
    case
      when not l.is_installed then 'fix it first'
      else pg_catalog.format(
        'send the progress of moves instead (docs/realtime.md), and run: alter publication supabase_realtime drop table %s;',
        p.names
      )
    end
  from place l
  cross join published p
),
checks (check_name, status, found, advice) as (
  select * from service
  union all
  select * from realtime
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_service()');

comment on function lead_mover.check_service() is 'The checks of lead_mover.doctor that concern what works on the queue, and Realtime.';
