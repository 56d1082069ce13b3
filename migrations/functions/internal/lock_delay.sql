-- How long a lane waits after p_lock_waits batches in a row that found only locked leads: not at all while it has
-- leads ahead that no batch has read, or leads that it has not tried again; then 0.1 s, doubling to 5 s.
create or replace function lead_mover.lock_delay(p_lock_waits integer, p_range_is_done boolean, p_skipped integer)
returns interval
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  c_revisited constant integer := 1000; -- as in move_batch
  v_round constant integer := (p_skipped + c_revisited - 1) / c_revisited;
begin
  if not p_range_is_done or p_lock_waits % greatest(v_round, 1) <> 0 then
    return interval '0';
  end if;

  return least(interval '0.1 seconds' * 2 ^ least(p_lock_waits / greatest(v_round, 1) - 1, 10), interval '5 seconds');
end
$$;

select lead_mover.make_private('lead_mover.lock_delay(integer, boolean, integer)');

comment on function lead_mover.lock_delay(integer, boolean, integer) is 'How long a lane waits after batches that found only locked leads.';
