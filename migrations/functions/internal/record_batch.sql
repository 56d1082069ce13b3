-- Records a batch: the lane's progress, and its next message or its end. The last lane that ends ends the
-- move. p_lane has next_id and skipped as they are after the batch; its counts and those of p_progress are
-- from before the batch.
create or replace function lead_mover.record_batch(
  p_message_id bigint,
  p_move lead_mover.moves,
  p_lane lead_mover.lanes,
  p_progress lead_mover.progress,
  p_moved integer,
  p_rejected integer,
  p_unchanged integer,
  p_too_many_rejections boolean,
  out p_outcome text,
  out p_remaining bigint,
  out p_message text,
  out p_pickup_seconds double precision
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_too_many constant text := 'Leads rejeitados em excesso: %s; veja get_lead_migration_rejections(%s)';
  v_now constant timestamptz := clock_timestamp();
  v_done constant bigint := p_moved + p_rejected + p_unchanged;
  v_ended constant boolean := p_lane.next_id is null and cardinality(p_lane.skipped) = 0;
  v_lock_waits constant integer := case when v_done = 0 then p_lane.lock_waits + 1 else 0 end;
  v_uncounted bigint := 0;
  v_message_id bigint;
  v_failure text;
  v_open_lanes integer;
  v_progress lead_mover.progress;
begin
  if p_move.started_at is null then
    update lead_mover.moves m
    set
      status = 'processing',
      started_at = statement_timestamp()
    where m.migration_id = p_move.migration_id
      and m.started_at is null;

    if found then
      p_pickup_seconds := extract(epoch from v_now - p_move.queued_at);
    end if;
  end if;

  if v_ended then
    -- Counted leads that no batch found are gone, or were at the target before their batch. If batches found
    -- more leads than were counted, leads were added to the run since and moved with the rest.
    v_uncounted := p_lane.moved + p_lane.rejected + p_lane.unchanged + v_done - p_lane.total;

    delete from pgmq.q_lead_migration_queue q
    where q.msg_id = p_message_id;
  end if;

  -- Below 0 if leads were added to the run. They are counted when the lane ends.
  p_remaining := greatest(
    p_progress.total - p_progress.moved - p_progress.rejected - p_progress.unchanged - v_done + v_uncounted,
    0
  );

  if not v_ended then
    -- Put the message at the end of the queue, with a new id. An update does not fire the trigger that
    -- notifies; the worker of this batch reads the queue again anyway. The message is delayed only if all leads
    -- were locked: 0.1 s, doubling to 5 s.
    update pgmq.q_lead_migration_queue q
    set
      msg_id = default,
      read_ct = default,
      enqueued_at = default,
      vt = v_now + case
        when v_lock_waits = 0 then interval '0'
        else least(interval '0.1 seconds' * 2 ^ least(v_lock_waits - 1, 10), interval '5 seconds')
      end,
      message = q.message || jsonb_build_object(
        'status', 'processing',
        'progress', jsonb_build_object(
          'moved', p_progress.moved + p_moved,
          'remaining', p_remaining,
          'total', p_progress.total,
          'last_batch_at', to_char(v_now at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        )
      )
    where q.msg_id = p_message_id
    returning q.msg_id
    into v_message_id;
  end if;

  update lead_mover.lanes l
  set
    message_id = v_message_id,
    next_id = p_lane.next_id,
    skipped = p_lane.skipped,
    batch_size = least(p_move.batch_size, l.batch_size * 2),
    total = l.total + greatest(v_uncounted, 0),
    moved = l.moved + p_moved,
    rejected = l.rejected + p_rejected,
    unchanged = l.unchanged + p_unchanged + greatest(-v_uncounted, 0),
    attempts = case when v_lock_waits = 0 then 0 else l.attempts end,
    last_error = case when v_lock_waits = 0 then null else l.last_error end,
    lock_waits = v_lock_waits,
    last_batch_at = v_now,
    finished_at = case when v_ended then v_now end
  where l.migration_id = p_lane.migration_id
    and l.lane = p_lane.lane;

  if p_too_many_rejections then
    v_failure := format(c_too_many, p_progress.rejected + p_rejected, p_move.migration_id);
  end if;

  if v_ended then
    -- This row's lock orders two lanes that end at once, so that one of them reads 0.
    update lead_mover.moves m
    set
      open_lanes = m.open_lanes - 1,
      failure = coalesce(m.failure, v_failure)
    where m.migration_id = p_move.migration_id
    returning m.open_lanes, m.failure
    into v_open_lanes, v_failure;
  end if;

  if v_open_lanes = 0 then
    select p.*
    into v_progress
    from lead_mover.progress p
    where p.migration_id = p_move.migration_id;

    -- Every lead of the move was rejected, however few they are.
    if v_progress.rejected > 0 and v_progress.rejected = v_progress.total then
      v_failure := coalesce(v_failure, format(c_too_many, v_progress.rejected, p_move.migration_id));
    end if;

    update lead_mover.moves m
    set
      status = case
        when v_failure is not null then 'failed'
        when v_progress.rejected > 0 then 'completed_with_errors'
        else 'completed'
      end,
      failure = v_failure,
      finished_at = clock_timestamp()
    where m.migration_id = p_move.migration_id;

    p_outcome := case when v_failure is null then 'moved' else 'move_failed' end;
  elsif v_failure is not null then
    p_outcome := case when lead_mover.fail_move(p_move.migration_id, v_failure) then 'move_failed' else 'failed' end;
  else
    p_outcome := 'moved';
  end if;

  p_message := coalesce(v_failure, format('Batch processado: %s leads movidos, %s restantes', p_moved, p_remaining));
end
$$;

select lead_mover.make_private('lead_mover.record_batch(bigint, lead_mover.moves, lead_mover.lanes, lead_mover.progress, integer, integer, integer, boolean)');

comment on function lead_mover.record_batch(bigint, lead_mover.moves, lead_mover.lanes, lead_mover.progress, integer, integer, integer, boolean) is 'Records a batch, and puts the lane''s message back or ends the lane.';
