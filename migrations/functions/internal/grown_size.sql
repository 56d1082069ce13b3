-- The size of a lane's next batch after a success, in leads: a tenth more, up to the move's. For ten minutes it stays
-- at three quarters of what timed out last.
create or replace function lead_mover.grown_size(p_lane lead_mover.lanes, p_most integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_memory constant interval := interval '10 minutes';
  v_size integer := least(p_lane.batch_size + greatest(p_lane.batch_size / 10, 1), p_most);
begin
  if p_lane.timed_out_at > clock_timestamp() - c_memory then
    v_size := least(v_size, greatest(p_lane.timed_out_size * 3 / 4, p_lane.batch_size));
  end if;

  return v_size;
end
$$;

select lead_mover.make_private('lead_mover.grown_size(lead_mover.lanes, integer)');

comment on function lead_mover.grown_size(lead_mover.lanes, integer) is 'The size of a lane''s next batch after a success.';
