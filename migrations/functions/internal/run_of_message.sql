-- The run of a message that an application sent itself, as the id is written there: a uuid may be in upper case or in
-- braces, a number in quotes. Null where it is no id.
create or replace function lead_mover.run_of_message(p_message jsonb)
returns lead_mover.moves.run_id%type
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id lead_mover.moves.run_id%type;
begin
  if jsonb_typeof(p_message -> 'run_id') in ('string', 'number') then
    v_run_id := p_message ->> 'run_id';
  end if;

  return v_run_id;
exception
  when data_exception then
    return null;
end
$$;

select lead_mover.make_private('lead_mover.run_of_message(jsonb)');

comment on function lead_mover.run_of_message(jsonb) is 'The run of a message that an application sent itself; null where it names none.';
