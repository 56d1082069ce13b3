-- Whether the caller may do this action to every run: the owner, a role that row level security does not concern, or
-- one to which the action is open for all runs.
create or replace function lead_mover.is_trusted(p_action text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_has_role((select n.nspowner from pg_namespace n where n.nspname = 'lead_mover'), 'usage')
    or exists (
      select
      from pg_roles r
      where r.rolname = current_user
        and (r.rolsuper or r.rolbypassrls)
    )
    or exists (
      select
      from lead_mover.openings o
      join pg_roles r on r.rolname = o.role_name
      where o.action = p_action
        and o.all_runs
        and pg_has_role(r.oid, 'usage')
    );
end
$$;

select lead_mover.make_private('lead_mover.is_trusted(text)');

comment on function lead_mover.is_trusted(text) is 'Whether the caller may do this action to every run.';
