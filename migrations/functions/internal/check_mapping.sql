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
wanted_column (view_name, column_name, is_written) as (
  values
    ('leads', 'id', false),
    ('leads', 'run_id', false),
    ('leads', 'funnel_id', true),
    ('leads', 'column_id', true),
    ('runs', 'id', false),
    ('runs', 'name', false),
    ('columns', 'id', false),
    ('columns', 'funnel_id', false)
),
-- The view leads and all views below it.
lead_view as (
  select r.oid
  from relation r
  where r.relname = 'leads'
  union
  select d.refobjid
  from lead_view v
  join pg_catalog.pg_rewrite w on w.ev_class = v.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    and d.objid = w.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
),
-- An instead-of trigger or a rule can write an expression too. Whether it can be planned `lead-mover doctor` tries.
writer as (
  select
    exists (select from lead_view v join pg_catalog.pg_trigger t on t.tgrelid = v.oid where t.tgtype & 80 = 80)
    or exists (
      select
      from lead_view v
      join pg_catalog.pg_rewrite w on w.ev_class = v.oid and w.ev_type = '2' and w.is_instead
    ) as is_there
),
mapped_column as (
  select
    'lead_mover.' || w.view_name || '.' || w.column_name as name,
    a.attname is null
      -- A CRM without funnels leaves it out of both views.
      and not (
        w.column_name = 'funnel_id'
        and not exists (
          select
          from relation other
          join pg_catalog.pg_attribute o on o.attrelid = other.oid
          where other.relname in ('leads', 'columns')
            and o.attname = 'funnel_id'
        )
      ) as is_missing,
    w.is_written
      and not writer.is_there
      and not pg_catalog.pg_column_is_updatable(r.oid, a.attnum, false) as is_fixed
  from wanted_column w
  cross join writer
  left join relation r on r.relname = w.view_name
  left join pg_catalog.pg_attribute a on a.attrelid = r.oid
    and a.attname = w.column_name
    and not a.attisdropped
),
-- The type of each id of a lead, then the types under it while that is a domain.
id_type as (
  select a.attname, t.oid, t.typtype, t.typbasetype, t.typnotnull, a.attcollation
  from relation r
  join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attname in ('id', 'run_id', 'funnel_id', 'column_id')
  join pg_catalog.pg_type t on t.oid = a.atttypid
  where r.relname = 'leads'
  union all
  select k.attname, t.oid, t.typtype, t.typbasetype, t.typnotnull, k.attcollation
  from id_type k
  join pg_catalog.pg_type t on t.oid = k.typbasetype
  where k.typtype = 'd'
),
-- As in keys.sql and ids.sql.
other_type (message) as (
  select
    pg_catalog.string_agg(
      pg_catalog.format('lead_mover.%s.%s', r.relname, a.attname), ', ' order by r.relname, a.attname desc
    )
      || case when count(*) = 1 then ' is' else ' are' end
      || pg_catalog.format(
        ' not of the type and collation of lead_mover.leads.%s, %s', k.attname, pg_catalog.format_type(k.oid, null)
      )
  from id_type k
  join relation r on r.relname = any (case k.attname when 'id' then '{lanes, skipped_leads}' else '{moves}' end::text[])
  join pg_catalog.pg_attribute a on a.attrelid = r.oid
    and a.attname = any (case k.attname when 'id' then '{next_id, last_id, lead_id}' else array[k.attname] end::text[])
    and (a.atttypid <> k.oid or a.atttypmod <> -1 or a.attcollation <> k.attcollation)
  where k.typtype <> 'd'
  group by k.attname, k.oid
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
    and not exists (select from id_type k where k.attname = 'id' and k.typnotnull)
),
mapping (check_name, status, found, advice) as (
  select
    'mapping',
    case
      when not exists (select from relation) then 'skipped'
      when m.missing is not null or m.fixed is not null or k.message is not null then 'failure'
      when n.statement is not null then 'warning'
      else 'ok'
    end,
    case
      when not exists (select from relation) then 'skipped: check `schema` failed'
      when m.missing is not null then 'the views of your tables lack ' || m.missing
      when m.fixed is not null then 'nothing can be written through ' || m.fixed
      when k.message is not null then k.message
      when n.statement is not null then 'lead_mover.leads.id can be null: leads whose id is null are not moved'
      else 'leads, runs and columns are mapped, and leads can be written'
    end,
    case
      when not exists (select from relation) then 'fix it first'
      when m.missing is not null then 'run: lead-mover migrate (it makes them, or prints the statements to adapt)'
      when m.fixed is not null then
        'make lead_mover.leads a plain view of one table, leave funnel_id out of both views where there are no funnels, '
          || 'or add an instead of trigger, as in docs/mapping.md'
      when k.message is not null then 'run: lead-mover migrate'
      else 'run: ' || n.statement || ';'
    end
  from (
    select
      pg_catalog.string_agg(c.name, ', ') filter (where c.is_missing) as missing,
      pg_catalog.string_agg(c.name, ', ') filter (where c.is_fixed) as fixed
    from mapped_column c
  ) m
  cross join (select pg_catalog.string_agg(o.message, '; ' order by o.message) as message from other_type o) k
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
