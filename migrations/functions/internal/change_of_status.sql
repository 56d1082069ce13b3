-- What has happened to a move whose status was one and is another now. The same status twice: it was queued.
create or replace function lead_mover.change_of_status(p_from text, p_to text)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_from = p_to then 'queued'
    when p_to in ('paused', 'cancelled', 'failed') then p_to
    when p_to in ('completed', 'completed_with_errors') then 'finished'
    when p_from = 'paused' then 'resumed'
    else 'started'
  end;
end
$$;

select lead_mover.make_private('lead_mover.change_of_status(text, text)');

comment on function lead_mover.change_of_status(text, text) is 'The event that changed the status of a move: queued, started, paused, resumed, cancelled, finished or failed.';
