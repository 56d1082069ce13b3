-- Locks and returns the messages for a run that an application sent itself and that no batch has adopted yet.
-- It waits for a batch that is adopting such a message; that message belongs to a move afterwards and is not
-- returned. Messages of a move are not locked here, because the caller does not hold the move's lock yet: a
-- batch that ends the move would wait for them, and the caller for that batch.
create or replace function lead_mover.lock_sent_messages(p_run_id lead_mover.moves.run_id%type)
returns bigint[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent record;
  v_message_ids bigint[] := '{}'::bigint[];
begin
  perform lead_mover.ensure_queue();

  for v_sent in
    select q.msg_id, q.message
    from pgmq.q_lead_migration_queue q
    -- In this order: to find the lane of a message takes longer.
    where case
        when lead_mover.run_of_message(q.message) = p_run_id then
          (lead_mover.lane_of_message(q.msg_id, q.message)).message_id is null
      end
    order by q.msg_id
    for update
  loop
    -- Checked again, with what was committed during the wait for the lock.
    if (lead_mover.lane_of_message(v_sent.msg_id, v_sent.message)).message_id is null then
      v_message_ids := v_message_ids || v_sent.msg_id;
    end if;
  end loop;

  return v_message_ids;
end
$$;

select lead_mover.make_private('lead_mover.lock_sent_messages');

comment on function lead_mover.lock_sent_messages is 'Locks and returns the messages for a run that an application sent itself and no batch has adopted.';
