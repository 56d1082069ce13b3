-- Whether all deferred constraints that the transaction has pending hold now. They stay pending and deferred.
create or replace function lead_mover.constraints_hold()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_rollback constant text := 'rolls back to deferred constraints';
begin
  set constraints all immediate;
  raise exception using errcode = 'LM0RB', message = c_rollback;
exception
  when sqlstate 'LM0RB' then
    return sqlerrm = c_rollback; -- else a trigger has raised it
  when assert_failure or others then
    return false;
end
$$;

select lead_mover.make_private('lead_mover.constraints_hold()');

comment on function lead_mover.constraints_hold() is 'Whether all pending deferred constraints of the transaction hold now.';
