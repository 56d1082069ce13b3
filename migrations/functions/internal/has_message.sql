-- Whether the lane's message is in the queue. Its content is compared, too: a queue that was created again counts its
-- messages from 1, and another lane's may have the same id.
create or replace function lead_mover.has_message(p_lane lead_mover.lanes)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
begin
  return exists (
    select
    from pgmq.q_lead_migration_queue q
    where q.msg_id = p_lane.message_id
      and q.message -> 'migration_id' = to_jsonb(p_lane.migration_id)
      and q.message -> 'lane' = to_jsonb(p_lane.lane)
  );
end
$$;

select lead_mover.make_private('lead_mover.has_message(lead_mover.lanes)');

comment on function lead_mover.has_message(lead_mover.lanes) is 'Whether the lane''s message is in the queue.';
