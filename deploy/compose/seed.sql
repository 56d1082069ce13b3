-- docker-compose.yml runs this with psql. It queues a move of both runs to the column where they are not; run
-- again, it moves them back. The batch size is 1, so that the moves take long enough to watch.

select public.queue_lead_migration(r.id, target.funnel_id, target.id, 1) ->> 'message' as queued
from public.runs r
cross join lateral (
  select
    c.id,
    c.funnel_id
  from public.columns c
  where exists (
    select
    from public.leads l
    where l.run_id = r.id
      and l.column_id is distinct from c.id
  )
  order by c.id desc
  limit 1
) target;
