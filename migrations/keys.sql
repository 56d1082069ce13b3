-- Gives the ledger's columns for keys of leads the type and the collation of lead_mover.leads.id. The lead table's
-- key may have been widened, or the view mapped to another table, since they were created.
--
-- They have the type under a domain, because a domain may not allow null, and no length, because a length may be
-- widened; for format_type that is -1, because the name that null gives, `character`, would mean one letter. Keys
-- of finished moves are not needed again and become null, because the new type may not take them.
do $$
declare
  v_key record;
  v_column record;
  v_function regprocedure;
  v_has_changed boolean := false;
begin
  select
    format_type(base.oid, -1) as type_name,
    base.oid as type_id,
    base.typcategory,
    a.attcollation as collation_id,
    case when a.attcollation <> 0 then ' collate ' || a.attcollation::regcollation else '' end as collation
  into v_key
  from pg_attribute a
  cross join lateral (
    with recursive base as (
      select t.oid, t.typtype, t.typbasetype, t.typcategory
      from pg_type t
      where t.oid = a.atttypid
      union all
      select t.oid, t.typtype, t.typbasetype, t.typcategory
      from base b
      join pg_type t on t.oid = b.typbasetype
      where b.typtype = 'd'
    )
    select b.oid, b.typcategory
    from base b
    where b.typtype <> 'd'
  ) base
  where a.attrelid = 'lead_mover.leads'::regclass
    and a.attname = 'id';

  for v_column in
    select
      a.attrelid::regclass as relation, c.relkind, a.attname, t.typcategory,
      -- Other changes may put the keys into another order, and a lane is a range of them.
      a.atttypid = v_key.type_id and a.attcollation = v_key.collation_id
        or t.typcategory = 'N' and v_key.typcategory = 'N'
        or t.typcategory = 'S' and v_key.typcategory = 'S' and a.attcollation = v_key.collation_id as keeps_order
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_type t on t.oid = a.atttypid
    where (
        a.attrelid = 'lead_mover.lanes'::regclass and a.attname in ('next_id', 'last_id')
        or a.attrelid = 'lead_mover.skipped_leads'::regclass and a.attname = 'lead_id'
        or a.attrelid = 'lead_mover.batch_result'::regclass and a.attname in ('next_id', 'waiting', 'rejected')
      )
      and (
        case when a.attnum > 0 and t.typcategory = 'A' then t.typelem else a.atttypid end <> v_key.type_id
        or a.atttypmod <> -1
        or c.relkind = 'r' and a.attcollation <> v_key.collation_id
      )
  loop
    v_has_changed := true;

    if v_column.relkind = 'c' then
      execute format(
        'alter type %s alter attribute %I type %s%s',
        v_column.relation, v_column.attname, v_key.type_name, case when v_column.typcategory = 'A' then '[]' else '' end
      );
      continue;
    end if;

    if not v_column.keeps_order and exists (
      select
      from lead_mover.lanes l
      join lead_mover.moves m on m.migration_id = l.migration_id
      where l.finished_at is null
        and m.status in ('pending', 'processing', 'paused', 'failed')
        and (l.next_id is not null or l.last_id is not null)
    ) then
      raise exception using
        errcode = 'object_in_use',
        message = format('the keys of the leads are of type %s%s now, which may be in another order, and moves have leads left', v_key.type_name, v_key.collation),
        hint = 'Cancel the active moves, and delete the failed moves that nothing is to retry from lead_mover.moves. Then run migrate again.';
    end if;

    update lead_mover.lanes l
    set
      next_id = null,
      last_id = null
    from lead_mover.moves m
    where m.migration_id = l.migration_id
      and m.status not in ('pending', 'processing', 'paused', 'failed')
      and (l.next_id is not null or l.last_id is not null);

    begin
      execute format(
        'alter table %s alter column %I type %s %s using %2$I::text::%3$s',
        v_column.relation, v_column.attname, v_key.type_name, v_key.collation
      );
    exception
      when data_exception then
        raise exception using
          errcode = sqlstate,
          message = format('the keys of the leads are of type %s now, and those of moves that have leads left cannot be converted: %s', v_key.type_name, sqlerrm),
          hint = 'Cancel the active moves, and delete the failed moves that nothing is to retry from lead_mover.moves. Then run migrate again.';
    end;
  end loop;

  -- plpgsql_check, which is Supabase's `db lint`, takes `anyarray` for integers. Functions with such parameters name
  -- this type in a comment for it; nothing else uses it.
  if not exists (
    select
    from pg_type t
    where t.typnamespace = 'lead_mover'::regnamespace
      and t.typname = 'lead_key'
      and t.typbasetype = v_key.type_id
      and t.typcollation = v_key.collation_id
  )
  then
    drop domain if exists lead_mover.lead_key;
    execute format('create domain lead_mover.lead_key as %s%s', v_key.type_name, v_key.collation);
    comment on domain lead_mover.lead_key is 'The type of lead_mover.leads.id, for plpgsql_check.';
  end if;

  -- A session that is open keeps the type of a function's variable until the function's row in pg_proc is a new one.
  if v_has_changed then
    for v_function in
      select p.oid
      from pg_proc p
      where p.prosrc ~ 'lead_mover[.][a-z_]+[.][a-z_]+%type'
        and p.pronamespace = 'lead_mover'::regnamespace
    loop
      execute format('alter function %s cost 100', v_function);
    end loop;
  end if;
end
$$;
