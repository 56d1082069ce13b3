-- What lead_mover.sample() returns, all from one snapshot. It reads the queue, the lanes of active moves and the
-- counts of finished moves. It does not read the finished moves, nor PGMQ's archive.
--
-- It looks up the active moves first, and the rest is planned each time (force_custom_plan). So the planner
-- has their number, where the statistics are often an hour old. Few moves are looked up in the index one by
-- one; for thousands, one scan of all lanes is quicker.
--
-- The age of a message is the time since it was due. A message that waits for its next attempt, or is paused,
-- has no age.
--
-- A move is stalled while nothing in the queue works on one of its lanes: the lane has no message, or one that is due
-- later than any delay that a batch sets. It is what repair puts right. has_message would read the queue in a newer
-- snapshot than that of the lanes.
create or replace function lead_mover.read_sample()
returns table (
  queue_depth bigint,
  oldest_message_age_seconds double precision,
  leads_remaining bigint,
  status_counts jsonb,
  migrations_stalled bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set jit = off
as $$
declare
  c_longest_delay constant interval := interval '10 minutes';
  v_now constant timestamptz := clock_timestamp();
  v_active bigint[];
  v_unpaused bigint[];
  v_active_counts jsonb;
begin
  with counted as (
    select a.status, count(*) as moves, array_agg(a.migration_id) as migration_ids
    from lead_mover.active_moves() a
    group by a.status
  )
  select
    array(select unnest(c.migration_ids) from counted c),
    array(select unnest(c.migration_ids) from counted c where c.status <> 'paused'),
    coalesce((select jsonb_object_agg(c.status, c.moves) from counted c), '{}')
  into v_active, v_unpaused, v_active_counts;

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

  select v_active_counts || coalesce(jsonb_object_agg(f.status, f.moves), '{}')
  into status_counts
  from (
    select c.status, sum(c.moves)::bigint as moves
    from lead_mover.finished_counts c
    group by c.status
    having sum(c.moves) <> 0
  ) f;

  select count(distinct l.migration_id)
  into migrations_stalled
  from lead_mover.lanes l
  where l.migration_id = any (v_unpaused)
    and l.finished_at is null
    and not exists (
      select
      from pgmq.q_lead_migration_queue q
      where q.msg_id = l.message_id
        and q.message -> 'migration_id' = to_jsonb(l.migration_id)
        and q.message -> 'lane' = to_jsonb(l.lane)
        and q.vt <= v_now + c_longest_delay
    );

  return next;
end
$$;

select lead_mover.make_private('lead_mover.read_sample()');

comment on function lead_mover.read_sample() is 'What sample() returns, from one snapshot.';
