-- Whether a change of funnel_id or column_id takes the strong lock of a row, the one that also waits for inserts of
-- child rows: where one of them, or a column that is generated from one, is in a unique index without a predicate or
-- an expression, or in the partition key. PostgreSQL decides so by the index (RelationGetIndexAttrBitmap), and an
-- update that changes the partition deletes the row from the old one. A trigger may change other columns: see
-- record_failure.
create or replace function lead_mover.needs_key_lock()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    with recursive part as (
      select t.relation::oid as oid, t.attname
      from lead_mover.lead_columns() t
      where t.view_column in ('funnel_id', 'column_id')
      union
      select h.inhrelid, p.attname
      from part p
      join pg_inherits h on h.inhparent = p.oid
    ),
    changed as (
      select p.oid, a.attnum
      from part p
      join pg_attribute a on a.attrelid = p.oid and a.attname = p.attname
      union
      select p.oid, coalesce(def.adnum, d.objsubid::smallint)
      from part p
      join pg_attribute a on a.attrelid = p.oid and a.attname = p.attname
      join pg_depend d
        on d.refclassid = 'pg_class'::regclass
        and d.refobjid = p.oid
        and d.refobjsubid = a.attnum
      -- Before PostgreSQL 15 the generated column itself depends on the other one, and not its expression.
      left join pg_attrdef def on d.classid = 'pg_attrdef'::regclass and def.oid = d.objid
      where def.oid is not null
        or d.classid = 'pg_class'::regclass and d.objid = p.oid and d.objsubid > 0
    )
    select
    from changed c
    where exists (
        select
        from pg_index i
        where i.indrelid = c.oid
          and i.indisunique
          and i.indpred is null
          and i.indexprs is null
          and c.attnum = any (i.indkey)
      )
      or exists (
        select
        from pg_partitioned_table k
        where k.partrelid = c.oid
          and (c.attnum = any (k.partattrs) or k.partexprs is not null)
      )
  );
end
$$;

select lead_mover.make_private('lead_mover.needs_key_lock()');

comment on function lead_mover.needs_key_lock() is 'Whether a change of funnel or column takes the strong lock of a lead''s row.';
