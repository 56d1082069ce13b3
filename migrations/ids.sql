-- Gives the ledger's columns for ids of runs, funnels and columns the types and collations that they have in
-- lead_mover.leads, as keys.sql does for keys. Where there is no funnel_id, it is text.
--
-- Functions whose parameters or results have such a type are dropped where it changes; migrate applies their files
-- again, and rights.sql their grants. An active move is not changed to another type: its
-- messages and its callers have ids of the old one. Ids of finished moves become null where the new type cannot take
-- them.
do $$
declare
  v_column record;
  v_id text;
  v_others text[];
  v_function record;
  v_is_locked boolean := false;
begin
  for v_column in
    with recursive base as (
      select a.attname, a.attcollation, t.oid, t.typtype, t.typbasetype
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      where a.attrelid = 'lead_mover.leads'::regclass
        and a.attname in ('run_id', 'funnel_id', 'column_id')
      union all
      select b.attname, b.attcollation, t.oid, t.typtype, t.typbasetype
      from base b
      join pg_type t on t.oid = b.typbasetype
      where b.typtype = 'd'
    ),
    wanted as (
      select b.attname, b.oid, b.attcollation
      from base b
      where b.typtype <> 'd'
      union all
      select 'funnel_id', t.oid, t.typcollation
      from pg_type t
      where t.oid = 'text'::regtype
        and not exists (select from base b where b.attname = 'funnel_id')
    )
    select
      a.attname,
      format_type(a.atttypid, -1) as old_type,
      format_type(w.oid, -1) as new_type,
      case when w.attcollation <> 0 then ' collate ' || w.attcollation::regcollation else '' end as collation
    from wanted w
    join pg_attribute a on a.attrelid = 'lead_mover.moves'::regclass and a.attname = w.attname
    where a.atttypid <> w.oid
      or a.atttypmod <> -1
      or a.attcollation <> w.attcollation
    order by a.attnum
  loop
    if not v_is_locked then
      -- Before the look at active moves: none is queued from then on.
      lock table lead_mover.moves in access exclusive mode;
      v_is_locked := true;

      if exists (select from lead_mover.moves m where m.finished_at is null) then
        raise exception using
          errcode = 'object_in_use',
          message = format(
            'lead_mover.leads.%s is of type %s now, it was %s, and moves are active', v_column.attname, v_column.new_type, v_column.old_type
          ),
          hint = 'Cancel the active moves, or map the old type until they have ended. Then run migrate again.';
      end if;
    end if;

    v_others := '{}';

    for v_id in
      execute format('select distinct m.%1$I::text from lead_mover.moves m where m.%1$I is not null', v_column.attname)
    loop
      begin
        execute format('select $1::%s', v_column.new_type) using v_id;
      exception
        when data_exception then
          v_others := v_others || v_id;
      end;
    end loop;

    if cardinality(v_others) > 0 then
      execute format('update lead_mover.moves m set %1$I = null where m.%1$I::text = any ($1)', v_column.attname)
      using v_others;
    end if;

    execute format(
      'alter table lead_mover.moves alter column %1$I type %2$s%3$s using %1$I::text::%2$s',
      v_column.attname, v_column.new_type, v_column.collation
    );
  end loop;

  if not v_is_locked then
    return;
  end if;

  for v_function in
    select
      p.oid::regprocedure as signature,
      f.path,
      -- Triggers depend on their functions, whose parameters have no types.
      p.prorettype <> 'trigger'::regtype
        and (
          p.proargnames && array['p_run_id', 'p_funnel_id', 'p_column_id', 'run_id', 'funnel_id', 'column_id']
          or p.prosrc ~ 'lead_mover[.]moves[.][a-z_]+%type'
        ) as is_of_ids
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join lead_mover.schema_files f on f.path = format(
      'functions/%s/%s.sql', case n.nspname when 'lead_mover' then 'internal' else n.nspname end, p.proname
    )
  loop
    if v_function.is_of_ids then
      execute format('drop function %s', v_function.signature);
      delete from lead_mover.schema_files f where f.path = v_function.path;
    else
      -- As in keys.sql, for sessions that are open.
      execute format('alter function %s cost 100', v_function.signature);
    end if;
  end loop;
end
$$;
