-- What Prometheus is told of the queue and the ledger, in one statement that touches active moves and the
-- index on status only; what has ended is counted, never read.
create or replace function lead_mover.sample()
returns table (
  queue_depth bigint,
  oldest_message_age_seconds double precision,
  leads_remaining bigint,
  status_counts jsonb
)
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    q.messages,
    coalesce(extract(epoch from clock_timestamp() - q.oldest)::double precision, 0),
    coalesce(
      (
        select sum(l.total - l.moved - l.rejected - l.settled)::bigint
        from lead_mover.migrations m
        join lead_mover.lanes l on l.migration_id = m.migration_id
        where m.status in ('pending', 'processing', 'paused')
      ),
      0
    ),
    coalesce(
      (
        select jsonb_object_agg(s.status, s.migrations)
        from (
          select m.status, count(*) as migrations
          from lead_mover.migrations m
          group by m.status
        ) s
      ),
      '{}'
    )
  from (
    select count(*) as messages, min(q.enqueued_at) as oldest
    from pgmq.q_lead_migration_queue q
  ) q
$$;

select lead_mover.make_private('lead_mover.sample()');

comment on function lead_mover.sample() is 'Queue and ledger in numbers, for the gauges.';
