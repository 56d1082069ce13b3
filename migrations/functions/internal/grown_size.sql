-- The size of a lane's next batch after a success, in leads: twice as large, up to the move's. For ten minutes after
-- a time-out it grows by a tenth only, and stays at three quarters of what timed out.
create or replace function lead_mover.grown_size(p_lane lead_mover.lanes, p_most integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_memory constant interval := interval '10 minutes';
begin
  return least(
    p_most,
    case
      when p_lane.timed_out_at > clock_timestamp() - c_memory then least(
        p_lane.batch_size + greatest(p_lane.batch_size / 10, 1),
        greatest(p_lane.timed_out_size * 3 / 4, p_lane.batch_size)
      )
      else p_lane.batch_size * 2
    end
  );
end
$$;

select lead_mover.make_private('lead_mover.grown_size(lead_mover.lanes, integer)');

comment on function lead_mover.grown_size(lead_mover.lanes, integer) is 'The size of a lane''s next batch after a success.';
