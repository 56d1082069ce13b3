-- Whether a change of funnel_id or column_id takes the strong lock of a row, the one that also waits for inserts of
-- child rows: where one of them is in a unique index without a predicate or an expression, or in the partition
-- key. PostgreSQL decides so by the index (RelationGetIndexAttrBitmap), and an update that changes the
-- partition deletes the row from the old one.
create or replace function lead_mover.needs_key_lock()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from lead_mover.lead_columns() t
    cross join lateral (
      select t.relation as oid
      union
      select p.relid
      from pg_partition_tree(t.relation) p
    ) part
    join pg_attribute a on a.attrelid = part.oid and a.attname = t.attname
    where t.view_column in ('funnel_id', 'column_id')
      and (
        exists (
          select
          from pg_index i
          where i.indrelid = part.oid
            and i.indisunique
            and i.indpred is null
            and i.indexprs is null
            and a.attnum = any (i.indkey)
        )
        or exists (
          select
          from pg_partitioned_table k
          where k.partrelid = part.oid
            and (a.attnum = any (k.partattrs) or k.partexprs is not null)
        )
      )
  );
end
$$;

select lead_mover.make_private('lead_mover.needs_key_lock()');

comment on function lead_mover.needs_key_lock() is 'Whether a change of funnel or column takes the strong lock of a lead''s row.';
