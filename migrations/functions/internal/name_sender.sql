-- The row trigger of the queue that writes into a message who sent it. Messages of lanes have no sender: the move has.
create or replace function lead_mover.name_sender()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if has_schema_privilege('lead_mover', 'usage') then
    new.message := new.message || jsonb_build_object('requested_by', lead_mover.actor());
  end if;

  return new;
exception
  -- The message is nested too deep to be written again.
  when program_limit_exceeded then
    return new;
end
$$;

select lead_mover.make_private('lead_mover.name_sender()');

comment on function lead_mover.name_sender() is 'Trigger: writes into a message who sent it.';
