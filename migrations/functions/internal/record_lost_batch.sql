-- Records a failure of a message that process_batch could not record: its commit failed, or it took the session with it.
-- The service calls it with the message that it was at. Returns whether it recorded something: another session
-- may be at the message by now, or it may be done.
create or replace function lead_mover.record_lost_batch(p_message_id bigint, p_sqlstate text, p_error text)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message jsonb;
  v_work lead_mover.work;
begin
  select q.message
  into v_message
  from pgmq.q_lead_migration_queue q
  where q.msg_id = p_message_id
  for update skip locked;

  if not found then
    return false;
  end if;

  v_work := lead_mover.lane_of_message(p_message_id, v_message);

  if v_work.message_id is null then
    -- Its adoption failed.
    perform lead_mover.delay_message(p_message_id);
    return true;
  end if;

  if not pg_try_advisory_xact_lock_shared(lead_mover.lock_key((v_work.move).migration_id)) then
    return false;
  end if;

  perform lead_mover.record_failure(v_work, (v_work.lane).batch_size, p_sqlstate, p_error, true);
  return true;
end
$$;

select lead_mover.make_private('lead_mover.record_lost_batch(bigint, text, text)');

comment on function lead_mover.record_lost_batch(bigint, text, text) is 'Records a failure that ended a batch''s transaction or session.';
