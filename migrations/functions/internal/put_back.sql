-- Puts a lane's message back at the end of the queue, in place of the one that was processed, without
-- waking anybody: the worker that did the batch looks again anyway. Answers with the new message's id.
create or replace function lead_mover.put_back(p_message_id bigint, p_message jsonb, p_delay interval)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message_id bigint;
begin
  delete from pgmq.q_lead_migration_queue q
  where q.msg_id = p_message_id;

  perform set_config('lead_mover.putting_back', 'on', true);

  insert into pgmq.q_lead_migration_queue (vt, message)
  values (clock_timestamp() + p_delay, p_message)
  returning msg_id
  into v_message_id;

  perform set_config('lead_mover.putting_back', 'off', true);

  return v_message_id;
end
$$;

select lead_mover.make_private('lead_mover.put_back(bigint, jsonb, interval)');

comment on function lead_mover.put_back(bigint, jsonb, interval) is 'Puts a lane''s message back at the end of the queue without notifying.';
