-- The progress of a move is the sum of its lanes.
create or replace view lead_mover.progress as
select
  l.migration_id,
  sum(l.total)::bigint as total,
  sum(l.moved)::bigint as moved,
  sum(l.rejected)::bigint as rejected,
  greatest(sum(l.total - l.moved - l.rejected - l.unchanged), 0)::bigint as remaining,
  max(l.attempts) as attempts,
  (array_agg(l.last_error order by l.attempts desc) filter (where l.last_error is not null))[1] as last_error,
  max(l.last_batch_at) as last_batch_at,
  sum(l.unchanged)::bigint as unchanged
from lead_mover.lanes l
group by l.migration_id;

comment on view lead_mover.progress is 'The progress of each move: the sum of its lanes.';
