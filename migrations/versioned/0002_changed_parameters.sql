-- Functions whose parameters or result have changed; their living files make them again.

drop function if exists lead_mover.is_refusal(text);
drop function if exists lead_mover.lane_of_message(bigint, jsonb);
drop function if exists lead_mover.record_batch(
  bigint, lead_mover.migrations, lead_mover.lanes, lead_mover.progress, boolean
);
