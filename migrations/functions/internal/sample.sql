-- What Prometheus is told of the queue and the ledger: it reads the queue, the lanes of active moves, and of
-- moves that have ended nothing but how many they are; PGMQ's archive not at all.
--
-- The active moves are looked up first, and the rest is planned anew each time (force_custom_plan): so the
-- planner sees how many there are, where statistics would often be those of another hour. Few are looked up in
-- the index one by one; were there thousands, one walk along all lanes is quicker.
--
-- A message is as old as it has been due: one that waits for its next try, or is paused, keeps nobody waiting.
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

  -- A lane that moves leads which came into the run since it was counted is below 0 for a moment.
  select coalesce(sum(greatest(l.total - l.moved - l.rejected - l.unchanged, 0)), 0)::bigint
  into leads_remaining
  from lead_mover.lanes l
  where l.migration_id = any (v_active);

  select coalesce(jsonb_object_agg(s.status, s.migrations), '{}')
  into status_counts
  from (
    select m.status, count(*) as migrations
    from lead_mover.moves m
    group by m.status
  ) s;

  return next;
end
$$;

select lead_mover.make_private('lead_mover.sample()');

comment on function lead_mover.sample() is 'Queue and ledger in numbers, for the gauges.';
