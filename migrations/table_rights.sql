-- Stops where the role that installs may not read or update the tables behind the mapping views: the functions would
-- fail at the first move. The views are planned, and nothing is run.
do $$
declare
  v_view text;
  v_error text;
  v_tables text;
begin
  foreach v_view in array array['leads', 'runs', 'columns'] loop
    begin
      execute format('explain select * from lead_mover.%I', v_view);

      if v_view = 'leads' then
        execute 'explain update lead_mover.leads l set column_id = null where l.id is null';
      end if;

      continue;
    exception
      when insufficient_privilege then
        v_error := sqlerrm;
    end;

    -- Also through other views.
    with recursive behind (oid, relkind) as (
      select c.oid, c.relkind
      from pg_class c
      where c.relnamespace = 'lead_mover'::regnamespace
        and c.relname = v_view
      union
      select t.oid, t.relkind
      from behind b
      join pg_rewrite r on r.ev_class = b.oid
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      join pg_class t on t.oid = d.refobjid
      where b.relkind = 'v'
    )
    select string_agg(distinct format('%I.%I', n.nspname, t.relname), ', ')
    into v_tables
    from behind b
    join pg_class t on t.oid = b.oid
    join pg_namespace n on n.oid = t.relnamespace
    where not has_table_privilege(b.oid, 'select')
      or v_view = 'leads' and not has_table_privilege(b.oid, 'update');

    raise exception using
      errcode = 'insufficient_privilege',
      message = format(
        'the role %I needs %s on lead_mover.%s or the tables behind it: %s',
        current_user, case v_view when 'leads' then 'select and update' else 'select' end, v_view, v_error
      ),
      hint = format(
        E'As a superuser or the owner, run this, then migrate again:\n\ngrant select%s on %s to %I;',
        case v_view when 'leads' then ', update' else '' end, v_tables, current_user
      );
  end loop;
end
$$;
