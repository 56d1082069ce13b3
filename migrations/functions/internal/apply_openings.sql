-- Makes the privileges on the functions, the views and the ledger those that lead_mover.openings says. PUBLIC, anon,
-- authenticated and every role in openings, or p_closed, lose all others; what other roles have is left to the
-- operator, and lead_mover.doctor shows it. service_role may do everything but `serve`. What is right stays untouched.
create or replace function lead_mover.apply_openings(p_closed text default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_memory constant text := 'What lead_mover.open_to has opened to which role: with all_runs for every run, else by the role''s own row level security. Openings: ';
  -- Names in them are quoted by the catalogs: @plpgsql_check_options: security_warnings = off
  v_statement text;
  v_view regclass;
  v_memory text;
begin
  if to_regrole('service_role') is not null then
    insert into lead_mover.openings (role_name, action, all_runs)
    select 'service_role', a, true
    from unnest(array['queue', 'progress', 'cancel', 'control', 'status', 'process']) as a
    on conflict (role_name, action) do nothing;
  end if;

  for v_statement in
    with wanted as (
      select distinct g.kind, g.name, g.privilege, g.attribute, r.rolname::text as role_name
      from lead_mover.openings o
      join pg_roles r on r.rolname = o.role_name
      cross join lateral lead_mover.grants_of_action(o.action, o.all_runs) g
    ),
    present as (
      select o.kind, o.name, o.privilege, o.attribute, o.role_name
      from lead_mover.opened_objects() o
      where o.role_name is null
        or o.role_name in ('anon', 'authenticated', p_closed)
        or o.role_name in (select p.role_name from lead_mover.openings p)
    ),
    change as (
      select 'revoke %s%s on %s %s from %s' as template, p.*
      from (select * from present except select * from wanted) p
      union all
      select 'grant %s%s on %s %s to %s', w.*
      from (select * from wanted except select * from present) w
    )
    select format(
      c.template,
      c.privilege, ' (' || quote_ident(c.attribute) || ')', c.kind, c.name, coalesce(quote_ident(c.role_name), 'public')
    )
    from change c
    order by c.template desc
  loop
    execute v_statement;
  end loop;

  for v_view in
    select c.oid::regclass
    from pg_class c
    where c.relnamespace = 'lead_mover'::regnamespace
      and (
        c.relname in ('leads', 'runs', 'columns') and exists (select from lead_mover.openings o where not o.all_runs)
        or c.relname = 'progress' and current_setting('server_version_num')::integer >= 150000
      )
      and not exists (
        select
        from pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'
          and o.option_value::boolean
      )
  loop
    execute format('alter view %s set (security_invoker = true)', v_view);
  end loop;

  -- For copies without rows: see rights.sql.
  v_memory := c_memory
    || (select coalesce(jsonb_agg(o order by o.role_name, o.action), '[]')::text from lead_mover.openings o);

  if obj_description('lead_mover.openings'::regclass, 'pg_class') is distinct from v_memory then
    execute format('comment on table lead_mover.openings is %L', v_memory);
  end if;
end
$$;

select lead_mover.make_private('lead_mover.apply_openings(text)');

comment on function lead_mover.apply_openings(text) is 'Makes the privileges those that lead_mover.openings says.';
