-- Makes the grants on the functions, the views and the ledger those that lead_mover.openings says. PUBLIC, anon,
-- authenticated and every role in openings, or p_closed, lose all others; grants to other roles are left to the
-- operator, and lead_mover.doctor shows them. service_role may do everything but `serve`. The comment on the table
-- openings has its rows.
create or replace function lead_mover.apply_openings(p_closed text default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Names in it are quoted by the catalogs: @plpgsql_check_options: security_warnings = off
  v_statement text;
  v_view text;
  v_views text[] := array[]::text[];
  v_comment text;
begin
  if to_regrole('service_role') is not null then
    insert into lead_mover.openings (role_name, action, all_runs)
    select 'service_role', a, true
    from unnest(array['queue', 'progress', 'cancel', 'control', 'status', 'process']) as a
    on conflict (role_name, action) do nothing;
  end if;

  for v_statement in
    select format(
      'revoke all on %s %s from %s',
      o.kind, o.name, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end
    )
    from lead_mover.opened_objects() o
    cross join lateral aclexplode(o.acl) a
    left join pg_roles r on r.oid = a.grantee
    where a.grantee <> o.owner_id
      and (
        a.grantee = 0
        or r.rolname in ('anon', 'authenticated')
        or r.rolname = p_closed
        or exists (select from lead_mover.openings p where p.role_name = r.rolname)
      )
    group by o.kind, o.name, a.grantee, r.rolname
  loop
    execute v_statement;
  end loop;

  if exists (select from lead_mover.openings o where not o.all_runs) then
    v_views := array['leads', 'runs', 'columns'];
  end if;

  if current_setting('server_version_num')::integer >= 150000 then
    v_views := v_views || 'progress'::text;
  end if;

  -- A view that has it is left alone: changing it waits for all who use it.
  foreach v_view in array v_views loop
    if not exists (
      select
      from pg_class c
      where c.relnamespace = 'lead_mover'::regnamespace
        and c.relname = v_view
        and 'security_invoker=true' = any (c.reloptions)
    )
    then
      execute format('alter view lead_mover.%I set (security_invoker = true)', v_view);
    end if;
  end loop;

  for v_statement in
    select distinct format('grant %s to %I', g.what, r.rolname)
    from lead_mover.openings o
    join pg_roles r on r.rolname = o.role_name
    cross join lateral lead_mover.grants_of_action(o.action, o.all_runs) g (what)
  loop
    execute v_statement;
  end loop;

  -- For copies of the schema without its rows: see rights.sql.
  select
    'What lead_mover.open_to has opened to which role: with all_runs for every run, else by the role''s own row level security. '
      || coalesce(jsonb_agg(to_jsonb(o) order by o.role_name, o.action)::text, '[]')
  into v_comment
  from lead_mover.openings o;

  if v_comment is distinct from obj_description('lead_mover.openings'::regclass, 'pg_class') then
    execute format('comment on table lead_mover.openings is %L', v_comment);
  end if;
end
$$;

select lead_mover.make_private('lead_mover.apply_openings(text)');

comment on function lead_mover.apply_openings(text) is 'Makes the grants those that lead_mover.openings says.';
