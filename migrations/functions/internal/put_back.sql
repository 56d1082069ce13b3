-- Puts a lane's message back at the end of the queue after a batch, with a new id. An update, so that the
-- trigger that notifies of what was queued does not fire: the worker that did the batch looks again anyway.
-- Answers with the new id.
create or replace function lead_mover.put_back(p_message_id bigint, p_message jsonb, p_delay interval)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message_id bigint;
begin
  update pgmq.q_lead_migration_queue q
  set
    msg_id = default,
    read_ct = default,
    enqueued_at = default,
    vt = clock_timestamp() + p_delay,
    message = p_message
  where q.msg_id = p_message_id
  returning q.msg_id
  into v_message_id;

  return v_message_id;
end
$$;

select lead_mover.make_private('lead_mover.put_back(bigint, jsonb, interval)');

comment on function lead_mover.put_back(bigint, jsonb, interval) is 'Puts a lane''s message back at the end of the queue without notifying.';
