-- The columns of tables that the columns of lead_mover.leads show, through any number of views: a column that is an
-- expression has no row. No catalog has this. The rule of a view does, in the server's own notation, which is
-- the same from PostgreSQL 12 to 18.
create or replace function lead_mover.lead_columns()
returns table (view_column name, relation regclass, attnum smallint, attname name)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with recursive shown as (
    select a.attname as view_column, c.relkind, c.oid as relation_id, a.attnum
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid
    where c.oid = 'lead_mover.leads'::regclass
      and a.attnum > 0
      and not a.attisdropped
    union all
    select s.view_column, c.relkind, c.oid, column_of[2]::smallint
    from shown s
    join pg_attribute a on a.attrelid = s.relation_id and a.attnum = s.attnum
    join pg_rewrite r on r.ev_class = s.relation_id and r.rulename = '_RETURN'
    cross join lateral regexp_match(
      r.ev_action::text,
      ':resno ' || s.attnum || E' :resname (?:[^[:space:]\\\\]|\\\\.)+'
        || ' :ressortgroupref [0-9]+ :resorigtbl ([0-9]+) :resorigcol ([0-9]+) :resjunk false'
    ) as column_of
    join pg_class c on c.oid = column_of[1]::oid
    where s.relkind = 'v'
  )
  select s.view_column, s.relation_id::regclass, s.attnum, a.attname
  from shown s
  join pg_attribute a on a.attrelid = s.relation_id and a.attnum = s.attnum
  where s.relkind in ('r', 'p', 'f');
end
$$;

select lead_mover.make_private('lead_mover.lead_columns()');

comment on function lead_mover.lead_columns() is 'The columns of tables that the columns of lead_mover.leads show.';
