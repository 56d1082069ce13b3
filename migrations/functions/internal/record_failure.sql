-- Records that a batch was undone, and why. Its message is due again after a delay.
--
-- The delay of an attempt doubles from 1 s to 5 min, and after ten in a row without progress the move
-- fails. An attempt in which another transaction was in the way is not one of the ten: the lane waits for up to 5 s
-- each time, and the move fails only after a day without progress. After a time-out the next batch is half as large,
-- and so it is after an error that ended the transaction or the session (p_timed_out in both cases).
--
-- The move takes its turn anew, behind all others (see put_last). If it was another transaction that was in the way,
-- or may have been, the next batches lock the leads as strongly as any update can need (see needs_key_lock, which
-- cannot know what a trigger writes).
--
-- After three failures in a row the leads of the batch go behind the others of their lane. A batch of one lead that
-- times out there, while others of the move went through, is that lead's fault: it is rejected.
create or replace function lead_mover.record_failure(
  p_work lead_mover.work,
  p_size integer,
  p_sqlstate text,
  p_error text,
  p_timed_out boolean,
  out p_outcome text,
  out p_message text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_most_attempts constant integer := 10;
  c_failures_in_turn constant integer := 3;
  v_now constant timestamptz := clock_timestamp();
  v_waits constant boolean := lead_mover.error_kind(p_sqlstate) = 'lock';
  v_lane lead_mover.lanes;
  v_delay interval;
  v_recorded record;
begin
  update lead_mover.lanes l
  set
    attempts = l.attempts + 1,
    waits = l.waits + case when v_waits then 1 else 0 end,
    waiting_since = case when v_waits then coalesce(l.waiting_since, v_now) else l.waiting_since end,
    last_error = p_error,
    batch_size = case when p_timed_out then greatest(least(p_size, l.batch_size) / 2, 1) else l.batch_size end,
    timed_out_size = case when p_timed_out and not v_waits then p_size else l.timed_out_size end,
    timed_out_at = case when p_timed_out and not v_waits then v_now else l.timed_out_at end
  where l.migration_id = (p_work.lane).migration_id
    and l.lane = (p_work.lane).lane
  returning *
  into v_lane;

  if (v_waits or p_timed_out) and not (p_work.move).key_lock then
    -- It does not wait for the row, which the first batch of another lane may hold.
    update lead_mover.moves m
    set key_lock = true
    where m.migration_id in (
      select k.migration_id
      from lead_mover.moves k
      where k.migration_id = v_lane.migration_id
      for no key update skip locked
    );
  end if;

  if v_waits then
    v_delay := least(interval '0.1 seconds' * 2 ^ least(v_lane.waits - 1, 10), interval '5 seconds');
    p_message := format('Lote à espera de outra transação (nova tentativa em %s s): %s', extract(epoch from v_delay)::real, p_error);
  else
    v_delay := least(interval '1 second' * 2 ^ least(v_lane.attempts - v_lane.waits - 1, 10), interval '5 minutes');
    p_message := format(
      'Falha no lote (tentativa %s de %s, nova tentativa em %s s): %s',
      v_lane.attempts - v_lane.waits, c_most_attempts, extract(epoch from v_delay)::integer, p_error
    );
  end if;

  p_outcome := 'failed';

  if v_lane.attempts - v_lane.waits >= c_most_attempts or v_lane.waiting_since < v_now - lead_mover.longest_wait() then
    p_message := case
      when v_waits then format('Sem progresso desde %s: %s', v_lane.waiting_since, p_error)
      else format('Sem progresso após %s tentativas: %s', c_most_attempts, p_error)
    end;

    if lead_mover.fail_move(v_lane.migration_id, p_message) then
      p_outcome := 'move_failed';
      return;
    end if;

    -- Batches of other lanes are running. The next batch ends the move, so it must not be delayed.
    v_delay := interval '0';
  elsif v_lane.attempts >= c_failures_in_turn then
    if p_timed_out and not v_waits and p_size = 1 and v_lane.next_id is null and p_work.moved > 0 then
      v_recorded := lead_mover.reject_skipped_lead(p_work, p_sqlstate, p_error);
      p_outcome := v_recorded.p_outcome;
      p_message := v_recorded.p_message;
      return;
    end if;

    perform lead_mover.put_behind(p_work, p_size);
  end if;

  update pgmq.q_lead_migration_queue q
  set
    vt = case when v_delay = interval '0' then 'epoch' else v_now + v_delay end,
    read_ct = q.read_ct + 1
  where q.msg_id = p_work.message_id;

  perform lead_mover.put_last(v_lane.migration_id);
end
$$;

select lead_mover.make_private('lead_mover.record_failure(lead_mover.work, integer, text, text, boolean)');

comment on function lead_mover.record_failure(lead_mover.work, integer, text, text, boolean) is 'Records that a batch was undone, and when its message is due again.';
