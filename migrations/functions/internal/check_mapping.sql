-- The checks of lead_mover.doctor that concern the mapping of the CRM's tables, one row a check. A check is skipped
-- where one that it depends on failed.
--
-- `lead-mover doctor` sends the text between the $$ as a query, so that it also runs where nothing is installed,
-- on a standby, and for a role without rights. So it reads catalogs only.
create or replace function lead_mover.check_mapping()
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with recursive relation as (
  -- Not to_regclass: it raises an error where the role has no usage on the schema.
  select c.oid, c.relname
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'lead_mover'
),
wanted_column (view_name, column_name, type_name, is_written) as (
  values
    ('leads', 'id', null, false),
    ('leads', 'run_id', 'uuid', false),
    ('leads', 'funnel_id', 'uuid', true),
    ('leads', 'column_id', 'uuid', true),
    ('runs', 'id', 'uuid', false),
    ('runs', 'name', null, false),
    ('columns', 'id', 'uuid', false),
    ('columns', 'funnel_id', 'uuid', false)
),
mapped_column as (
  select
    pg_catalog.concat_ws(' ', 'lead_mover.' || w.view_name || '.' || w.column_name, w.type_name) as name,
    a.attname is null as is_missing,
    w.is_written
      and not pg_catalog.pg_column_is_updatable(r.oid, a.attnum, false)
      -- Updatable with triggers but not without: an instead-of trigger does the update.
      and pg_catalog.pg_relation_is_updatable(r.oid, false)
        = pg_catalog.pg_relation_is_updatable(r.oid, true) as is_fixed
  from wanted_column w
  left join relation r on r.relname = w.view_name
  left join pg_catalog.pg_attribute a on a.attrelid = r.oid
    and a.attname = w.column_name
    and not a.attisdropped
    and (w.type_name is null or w.type_name::pg_catalog.regtype = a.atttypid)
),
-- The key's type, then the types under it while that is a domain.
key_type as (
  select t.oid, t.typtype, t.typbasetype, t.typnotnull, a.attcollation
  from relation r
  join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attname = 'id'
  join pg_catalog.pg_type t on t.oid = a.atttypid
  where r.relname = 'leads'
  union all
  select t.oid, t.typtype, t.typbasetype, t.typnotnull, k.attcollation
  from key_type k
  join pg_catalog.pg_type t on t.oid = k.typbasetype
  where k.typtype = 'd'
),
-- As in keys.sql.
other_key as (
  select
    pg_catalog.string_agg(
      pg_catalog.format('lead_mover.%s.%s', r.relname, a.attname), ', ' order by r.relname, a.attname desc
    ) as names,
    pg_catalog.min(pg_catalog.format_type(k.oid, null)) as type_name
  from key_type k
  join relation r on r.relname in ('lanes', 'skipped_leads')
  join pg_catalog.pg_attribute a on a.attrelid = r.oid
    and a.attname in ('next_id', 'last_id', 'lead_id')
    and (a.atttypid <> k.oid or a.atttypmod <> -1 or a.attcollation <> k.attcollation)
  where k.typtype <> 'd'
),
-- No catalog maps a view's columns to those of its table. The view's rule does, in the server's own notation,
-- which is the same from PostgreSQL 12 to 18.
mapped as (
  select
    found[1] as view_column,
    found[2]::oid as table_id,
    found[3]::smallint as attnum
  from relation v
  join pg_catalog.pg_rewrite r on r.ev_class = v.oid
  cross join lateral pg_catalog.regexp_matches(
    r.ev_action::text,
    ':resname (id|run_id) :ressortgroupref [0-9]+ :resorigtbl ([0-9]+) :resorigcol ([0-9]+)',
    'g'
  ) as found
  where v.relname = 'leads'
    and pg_catalog.pg_relation_is_updatable(r.ev_class, false) & 4 = 4
),
lead_table as (
  select
    t.oid as table_id,
    case t.relkind when 'p' then '' else 'concurrently ' end as way,
    n.nspname,
    t.relname,
    run_id.attnum as run_id_attnum,
    run_id.attname as run_id_name,
    id.attnum as id_attnum,
    id.attname as id_name,
    id.attcollation as id_collation,
    id.attnotnull as id_is_not_null
  from mapped mapped_run_id
  join mapped mapped_id on mapped_id.table_id = mapped_run_id.table_id
  join pg_catalog.pg_class t on t.oid = mapped_id.table_id
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace
  join pg_catalog.pg_attribute run_id on run_id.attrelid = t.oid and run_id.attnum = mapped_run_id.attnum
  join pg_catalog.pg_attribute id on id.attrelid = t.oid and id.attnum = mapped_id.attnum
  where mapped_run_id.view_column = 'run_id'
    and mapped_id.view_column = 'id'
    and t.relkind in ('r', 'p')
    and (select count(*) from mapped) = 2
),
nullable_key (statement) as (
  select pg_catalog.format(
    'alter table %I.%I alter column %I set not null',
    l.nspname, l.relname, l.id_name
  )
  from lead_table l
  where not l.id_is_not_null
    and not exists (select from key_type k where k.typnotnull)
),
mapping (check_name, status, found, advice) as (
  select
    'mapping',
    case
      when not exists (select from relation) then 'skipped'
      when m.missing is not null or m.fixed is not null or k.names is not null then 'failure'
      when n.statement is not null then 'warning'
      else 'ok'
    end,
    case
      when not exists (select from relation) then 'skipped: check `schema` failed'
      when m.missing is not null then 'the views of your tables lack ' || m.missing
      when m.fixed is not null then 'nothing can be written through ' || m.fixed
      when k.names is not null then
        k.names || ' are not of the type and collation of lead_mover.leads.id, ' || k.type_name
      when n.statement is not null then 'lead_mover.leads.id can be null: leads whose id is null are not moved'
      else 'leads, runs and columns are mapped, and leads can be written'
    end,
    case
      when not exists (select from relation) then 'fix it first'
      when m.missing is not null then 'run: lead-mover migrate (it makes them, or prints the statements to adapt)'
      when m.fixed is not null then
        'make lead_mover.leads a plain view of one table: create or replace view lead_mover.leads as '
          || 'select id, run_id, funnel_id, column_id from public.your_leads;'
      when k.names is not null then 'run: lead-mover migrate'
      else 'run: ' || n.statement || ';'
    end
  from (
    select
      pg_catalog.string_agg(c.name, ', ') filter (where c.is_missing) as missing,
      pg_catalog.string_agg(c.name, ', ') filter (where c.is_fixed) as fixed
    from mapped_column c
  ) m
  cross join other_key k
  left join nullable_key n on true
),
missing_index (statement) as (
  select pg_catalog.format(
    'create index %son %I.%I (%I, %I)',
    l.way, l.nspname, l.relname, l.run_id_name, l.id_name
  )
  from lead_table l
  where not exists (
    select
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_am a on a.oid = c.relam
    join pg_catalog.pg_opclass o on o.oid = i.indclass[1]
    where i.indrelid = l.table_id
      and i.indisvalid
      and i.indpred is null
      and i.indnkeyatts >= 2
      and i.indkey[0] = l.run_id_attnum
      and i.indkey[1] = l.id_attnum
      and i.indcollation[1] = l.id_collation
      and o.opcdefault
      and a.amname = 'btree'
  )
),
index as (
  select
    'index',
    case
      when i.statement is not null then 'failure'
      when m.status in ('failure', 'skipped') then 'skipped'
      else 'ok'
    end,
    case
      when i.statement is not null then
        'no index serves the walk along a run''s leads: each batch reads the whole table'
      when m.status in ('failure', 'skipped') then 'skipped: check `mapping` failed'
      else 'no index is missing for the walk along a run''s leads'
    end,
    coalesce('run: ' || i.statement || ';', 'fix it first')
  from mapping m
  left join missing_index i on true
),
checks (check_name, status, found, advice) as (
  select * from mapping
  union all
  select * from index
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_mapping()');

comment on function lead_mover.check_mapping() is 'The checks of lead_mover.doctor that concern the mapping of the CRM''s tables.';
