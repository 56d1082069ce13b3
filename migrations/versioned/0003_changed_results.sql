-- Functions whose parameters or result have changed (their living files make them again), and one that is
-- gone.

drop function if exists lead_mover.lane_of_message(bigint, jsonb);
drop function if exists lead_mover.take_message();
drop function if exists lead_mover.process_batch(integer);
drop function if exists lead_mover.record_batch(
  bigint, lead_mover.migrations, lead_mover.lanes, lead_mover.progress, integer, integer, integer, boolean
);
drop function if exists lead_mover.send_lanes(bigint);
drop function if exists lead_mover.put_back(bigint, jsonb, interval);
