-- Takes from a role all that it may do with the lead mover, also by grants of other origin.
create or replace function lead_mover.close_to(p_role regrole)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role constant text := (select r.rolname from pg_roles r where r.oid = p_role);
begin
  delete from lead_mover.openings o
  where o.role_name = v_role;

  perform lead_mover.apply_openings(v_role);
end
$$;

select lead_mover.make_private('lead_mover.close_to(regrole)');

comment on function lead_mover.close_to(regrole) is 'Takes from a role all that it may do with the lead mover.';
