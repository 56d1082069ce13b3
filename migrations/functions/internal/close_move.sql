-- Ends a move that has leads left, as cancelled or failed. The caller holds the move's lock exclusively.
-- Messages of a failed move are archived with the reason. Messages of a cancelled move are deleted.
create or replace function lead_mover.close_move(p_migration_id bigint, p_status text, p_failure text default null)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_message_ids bigint[];
begin
  with closed as (
    update lead_mover.lanes l
    set message_id = null
    where l.migration_id = p_migration_id
      and l.finished_at is null
    returning l.lane
  )
  select array_agg(before.message_id)
  into v_message_ids
  from closed
  join lead_mover.lanes before
    on before.migration_id = p_migration_id
    and before.lane = closed.lane;

  if p_status = 'failed' then
    update pgmq.q_lead_migration_queue q
    set message = q.message || jsonb_build_object('status', p_status, 'error', p_failure)
    where q.msg_id = any (v_message_ids);

    perform
    from pgmq.archive('lead_migration_queue'::text, v_message_ids::bigint[]);
  else
    delete from pgmq.q_lead_migration_queue q
    where q.msg_id = any (v_message_ids);
  end if;

  update lead_mover.moves m
  set
    status = p_status,
    failure = p_failure,
    finished_at = clock_timestamp()
  where m.migration_id = p_migration_id;
end
$$;

select lead_mover.make_private('lead_mover.close_move(bigint, text, text)');

comment on function lead_mover.close_move(bigint, text, text) is 'Ends a move that has leads left, as cancelled or failed, and removes its messages from the queue.';
