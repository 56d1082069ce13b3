-- Takes the first message that is due and that no other transaction has locked. The row lock of the message is
-- the lock of its lane. With it the batch takes the move's lock, shared, so that a cancel, pause or failure of
-- the move waits for the batch and keeps new batches from starting. It waits for neither lock, so that it
-- cannot cause a deadlock over them. The server releases both when the transaction ends, also when its process
-- dies.
--
-- p_work.message_id null: nothing is due. p_reason: why a message of no lane was not adopted; p_outcome is then the
-- result of adopt_message. For the settings, see next_leads.
create or replace function lead_mover.take_message(
  out p_work lead_mover.work,
  out p_outcome text,
  out p_reason text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_last_message_id bigint := -1;
  v_message_id bigint;
  v_message jsonb;
begin
  loop
    select q.msg_id, q.message
    into v_message_id, v_message
    from pgmq.q_lead_migration_queue q
    where q.vt <= clock_timestamp()
      and q.msg_id > v_last_message_id
    order by q.msg_id
    limit 1
    for update skip locked;

    if not found then
      p_work := null;
      return;
    end if;

    v_last_message_id := v_message_id;
    -- Only after the row is locked: from then on no other transaction changes the lane.
    p_work := lead_mover.lane_of_message(v_message_id, v_message);

    if p_work.message_id is null then
      select a.p_outcome, a.p_reason
      into p_outcome, p_reason
      from lead_mover.adopt_message(v_message_id, v_message) a;

      if p_outcome <> 'adopted' then
        p_work.message_id := v_message_id;
        return;
      end if;

      p_work := lead_mover.lane_of_message(
        v_message_id,
        (select q.message from pgmq.q_lead_migration_queue q where q.msg_id = v_message_id)
      );
    end if;

    -- Another transaction is cancelling, pausing or failing this move.
    continue when not pg_try_advisory_xact_lock_shared(lead_mover.lock_key((p_work.move).migration_id));

    -- The message was made due by hand, or put back.
    continue when (p_work.move).status not in ('pending', 'processing');

    -- A move whose batches fail has one at a time, so that the others keep a worker: each may take as long as a
    -- lock_timeout or a statement_timeout.
    continue when (p_work.lane).attempts > 0
      and not pg_try_advisory_xact_lock(lead_mover.retry_lock_key((p_work.move).migration_id));

    -- The first batch that runs alone ends a move whose failure is recorded.
    exit when (p_work.move).failure is null
      or pg_try_advisory_xact_lock(lead_mover.lock_key((p_work.move).migration_id));
  end loop;
end
$$;

select lead_mover.make_private('lead_mover.take_message()');

comment on function lead_mover.take_message() is 'Takes the first due message that no other transaction has locked, with its lane and its move.';
