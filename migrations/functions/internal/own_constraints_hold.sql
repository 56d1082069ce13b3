-- As constraints_hold, of the lead table's constraints alone.
create or replace function lead_mover.own_constraints_hold()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_rollback constant text := 'rolls back to deferred constraints';
begin
  execute lead_mover.own_constraints_immediate();
  raise exception using errcode = 'LM0RB', message = c_rollback;
exception
  when sqlstate 'LM0RB' then
    return sqlerrm = c_rollback; -- else a trigger has raised it
  when assert_failure or others then
    return false;
end
$$;

select lead_mover.make_private('lead_mover.own_constraints_hold()');

comment on function lead_mover.own_constraints_hold() is 'Whether all pending deferred constraints of the lead table hold now.';
