-- Takes the first message that is due and that no other transaction has locked. The row lock of the message is
-- the lock of its lane. With it the batch takes the move's lock, shared, so that a cancel, pause or failure of
-- the move waits for the batch and keeps new batches from starting. It waits for neither lock, so that it
-- cannot cause a deadlock over them. The server releases both when the transaction ends, also when its process
-- dies.
--
-- p_message_id null: nothing is due. p_reason: why a message of no lane was not adopted; p_outcome is then the
-- result of adopt_message.
create or replace function lead_mover.take_message(
  out p_message_id bigint,
  out p_lane lead_mover.lanes,
  out p_move lead_mover.moves,
  out p_progress lead_mover.progress,
  out p_outcome text,
  out p_reason text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last_message_id bigint := 0;
  v_message jsonb;
  v_owner record;
begin
  loop
    select q.msg_id, q.message
    into p_message_id, v_message
    from pgmq.q_lead_migration_queue q
    where q.vt <= clock_timestamp()
      and q.msg_id > v_last_message_id
    order by q.msg_id
    limit 1
    for update skip locked;

    exit when not found;

    v_last_message_id := p_message_id;
    -- Only after the row is locked: from then on no other transaction changes the lane.
    v_owner := lead_mover.lane_of_message(p_message_id, v_message);

    if (v_owner.p_lane).migration_id is null then
      select a.p_outcome, a.p_reason
      into p_outcome, p_reason
      from lead_mover.adopt_message(p_message_id, v_message) a;

      exit when p_outcome <> 'adopted';

      v_owner := lead_mover.lane_of_message(
        p_message_id,
        (select q.message from pgmq.q_lead_migration_queue q where q.msg_id = p_message_id)
      );
    end if;

    p_lane := v_owner.p_lane;
    p_move := v_owner.p_move;
    p_progress := v_owner.p_progress;

    -- Another transaction is cancelling, pausing or failing this move.
    continue when not pg_try_advisory_xact_lock_shared(lead_mover.lock_key(p_move.migration_id));

    -- The message was made due by hand.
    continue when p_move.status = 'paused';

    -- The first batch that runs alone ends a move whose failure is recorded.
    exit when p_move.failure is null
      or pg_try_advisory_xact_lock(lead_mover.lock_key(p_move.migration_id));
  end loop;
end
$$;

select lead_mover.make_private('lead_mover.take_message()');

comment on function lead_mover.take_message() is 'Takes the first due message that no other transaction has locked, with its lane and its move.';
