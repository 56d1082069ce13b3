-- One reading of queue and ledger, for the gauges. It reads the queue and the lanes of active moves. Of ended
-- moves it reads only the number, and it does not read PGMQ's archive.
--
-- It looks up the active moves first, and the rest is planned each time (force_custom_plan). So the planner
-- has their number, where the statistics are often an hour old. Few moves are looked up in the index one by
-- one; for thousands, one scan of all lanes is quicker.
--
-- The age of a message is the time since it was due. A message that waits for its next attempt, or is paused,
-- has no age.
create or replace function lead_mover.sample()
returns table (
  queue_depth bigint,
  oldest_message_age_seconds double precision,
  leads_remaining bigint,
  status_counts jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_active bigint[];
begin
  v_active := array(
    select m.migration_id
    from lead_mover.moves m
    where m.status in ('pending', 'processing', 'paused')
  );

  select
    count(*),
    coalesce(
      extract(epoch from v_now - min(greatest(q.enqueued_at, q.vt)) filter (where q.vt <= v_now))::double precision,
      0
    )
  into queue_depth, oldest_message_age_seconds
  from pgmq.q_lead_migration_queue q;

  -- A lane is below 0 while it moves leads that were added to the run after the count.
  select coalesce(sum(greatest(l.total - l.moved - l.rejected - l.unchanged, 0)), 0)::bigint
  into leads_remaining
  from lead_mover.lanes l
  where l.migration_id = any (v_active);

  select coalesce(jsonb_object_agg(s.status, s.moves), '{}')
  into status_counts
  from (
    select m.status, count(*) as moves
    from lead_mover.moves m
    group by m.status
  ) s;

  return next;
end
$$;

select lead_mover.make_private('lead_mover.sample()');

comment on function lead_mover.sample() is 'One reading of queue and ledger, for the gauges.';
