-- Takes away what lead_mover.open_to has not opened, as default privileges, a dump or a new function may have granted it,
-- and grants again what it has. Run last, each time.
--
-- A copy of the schema alone has the table without its rows, and the comment that apply_openings has written.
do $$
begin
  if not exists (select from lead_mover.openings) then
    insert into lead_mover.openings (role_name, action, all_runs)
    select o.role_name, o.action, o.all_runs
    from jsonb_to_recordset(
      coalesce(substring(obj_description('lead_mover.openings'::regclass, 'pg_class') from 'Openings: (.*)$'), '[]')::jsonb
    ) as o (role_name text, action text, all_runs boolean);
  end if;

  perform lead_mover.apply_openings();
end
$$;
