-- Sends a message for every lane of a move that has leads left and no message: when the move is queued,
-- resumed or retried. It is one statement, so that the trigger on the queue notifies once. A move that has no
-- message_id yet gets that of its first lane; the row of another is left alone, as a batch may hold it. Returns the
-- move.
-- A message without a delay has vt = epoch, so that it is due also after the server's clock went back.
create or replace function lead_mover.send_lanes(p_migration_id bigint)
returns lead_mover.moves
language sql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
  with sent as (
    insert into pgmq.q_lead_migration_queue (vt, message)
    select
      'epoch'::timestamptz,
      lead_mover.message(m, l.lane, p.moved, p.remaining, p.total, p.last_batch_at)
    from lead_mover.moves m
    join lead_mover.lanes l on l.migration_id = m.migration_id
    join lead_mover.progress p on p.migration_id = m.migration_id
    where m.migration_id = p_migration_id
      and l.finished_at is null
      and l.message_id is null
    order by l.lane
    returning msg_id, (message ->> 'lane')::integer as lane
  ),
  held as (
    update lead_mover.lanes l
    set message_id = sent.msg_id
    from sent
    where l.migration_id = p_migration_id
      and l.lane = sent.lane
  ),
  named as (
    update lead_mover.moves m
    set message_id = sent.msg_id
    from sent
    where m.migration_id = p_migration_id
      and m.message_id is null
      and sent.lane = 1
    returning m.*
  )
  select * from named
  union all
  select m.*
  from lead_mover.moves m
  where m.migration_id = p_migration_id
    and not exists (select from named)
$$;

select lead_mover.make_private('lead_mover.send_lanes(bigint)');

comment on function lead_mover.send_lanes(bigint) is 'Sends a message for every open lane that has none.';
