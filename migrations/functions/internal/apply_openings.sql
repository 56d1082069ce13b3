-- Makes the grants on the functions, the views and the ledger those that lead_mover.openings says. PUBLIC, anon,
-- authenticated and every role in openings, or p_closed, lose all others; grants to other roles are left to the
-- operator, and lead_mover.doctor shows them. service_role may do everything but `serve`.
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
    foreach v_view in array array['leads', 'runs', 'columns'] loop
      execute format('alter view lead_mover.%I set (security_invoker = true)', v_view);
    end loop;
  end if;

  if current_setting('server_version_num')::integer >= 150000 then
    alter view lead_mover.progress set (security_invoker = true);
  end if;

  for v_statement in
    select distinct format('grant %s to %I', g.what, r.rolname)
    from lead_mover.openings o
    join pg_roles r on r.rolname = o.role_name
    cross join lateral lead_mover.grants_of_action(o.action, o.all_runs) g (what)
  loop
    execute v_statement;
  end loop;
end
$$;

select lead_mover.make_private('lead_mover.apply_openings(text)');

comment on function lead_mover.apply_openings(text) is 'Makes the grants those that lead_mover.openings says.';
