-- Puts the messages of a move at the end of the queue, as a batch that succeeds does with its own. A lane that another
-- transaction has locked keeps its place.
create or replace function lead_mover.put_last(p_migration_id bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
begin
  with free as (
    select q.msg_id, l.lane
    from lead_mover.lanes l
    join pgmq.q_lead_migration_queue q on q.msg_id = l.message_id
    where l.migration_id = p_migration_id
      and l.finished_at is null
    order by l.lane
    for update of l, q skip locked
  ),
  renumbered as (
    update pgmq.q_lead_migration_queue q
    set msg_id = default
    from free
    where q.msg_id = free.msg_id
    returning q.msg_id, free.lane
  )
  update lead_mover.lanes l
  set message_id = renumbered.msg_id
  from renumbered
  where l.migration_id = p_migration_id
    and l.lane = renumbered.lane;
end
$$;

select lead_mover.make_private('lead_mover.put_last(bigint)');

comment on function lead_mover.put_last(bigint) is 'Puts the messages of a move at the end of the queue.';
