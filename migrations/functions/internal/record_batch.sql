-- Records a batch: its rejections, the leads to come back to, the lane's progress, and its next message or its end.
-- The last lane that ends ends the move. p_work is from before the batch.
--
-- A trigger of the lead table may have cancelled or paused the move within the batch. Its status stays.
--
-- p_asynchronous: if the lane goes on and nothing was rejected, the commit does not wait for the disk. The setting
-- is changed here, after the triggers. For the planner's settings, see next_leads.
create or replace function lead_mover.record_batch(
  p_work lead_mover.work,
  p_result lead_mover.batch_result,
  p_too_many_rejections boolean,
  p_asynchronous boolean,
  out p_outcome text,
  out p_remaining bigint,
  out p_message text,
  out p_pickup_seconds double precision
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
  c_too_many constant text := 'Leads rejeitados em excesso: %s; veja get_lead_migration_rejections(%s)';
  v_move constant lead_mover.moves := p_work.move;
  v_lane constant lead_mover.lanes := p_work.lane;
  v_now constant timestamptz := clock_timestamp();
  v_rejected constant integer := cardinality(p_result.rejected);
  v_done constant bigint := p_result.moved + v_rejected + p_result.unchanged;
  v_skipped integer := v_lane.skipped_leads;
  v_lock_waits integer := 0;
  v_delay interval := interval '0';
  v_ended boolean;
  v_status text;
  v_uncounted bigint := 0;
  v_message_id bigint;
  v_failure text;
  v_open_lanes integer;
  v_progress lead_mover.progress;
begin
  if v_rejected > 0 then
    insert into lead_mover.rejections (migration_id, lead_id, sqlstate, error)
    select v_move.migration_id, lead_mover.key_text(r.id), r.sqlstate, r.error
    from unnest(p_result.rejected, p_result.sqlstates, p_result.errors) as r (id, sqlstate, error)
    on conflict (migration_id, lead_id) do nothing;
  end if;

  if p_result.revisited is not null or cardinality(p_result.waiting) > 0 then
    v_skipped := lead_mover.record_skipped(v_lane, p_result, v_done);
  end if;

  v_ended := p_result.next_id is null and v_skipped = 0;

  if v_done = 0 and not v_ended then
    v_lock_waits := v_lane.lock_waits + 1;
    v_delay := lead_mover.lock_delay(v_lock_waits, p_result.next_id is null, v_skipped);
  end if;

  if v_move.started_at is null then
    -- It does not wait for the first batch of another lane, which does the same.
    update lead_mover.moves m
    set
      status = case m.status when 'pending' then 'processing' else m.status end,
      started_at = greatest(statement_timestamp(), transaction_timestamp())
    where m.migration_id in (
      select k.migration_id
      from lead_mover.moves k
      where k.migration_id = v_move.migration_id
        and k.started_at is null
        and k.finished_at is null
      for no key update skip locked
    );

    if found then
      p_pickup_seconds := extract(epoch from v_now - v_move.queued_at);
    end if;
  end if;

  select m.status
  into v_status
  from lead_mover.moves m
  where m.migration_id = v_move.migration_id;

  if v_ended then
    -- Counted leads that no batch found are gone, or were at the target before their batch. If batches found
    -- more leads than were counted, leads were added to the run since and moved with the rest.
    v_uncounted := v_lane.moved + v_lane.rejected + v_lane.unchanged + v_done - v_lane.total;

    delete from pgmq.q_lead_migration_queue q
    where q.msg_id = p_work.message_id;
  end if;

  -- Below 0 if leads were added to the run. They are counted when the lane ends.
  p_remaining := greatest(
    p_work.total - p_work.moved - p_work.rejected - p_work.unchanged - v_done + v_uncounted,
    0
  );

  if not v_ended then
    -- Put the message at the end of the queue, with a new id. An update does not fire the trigger that
    -- notifies; the worker of this batch reads the queue again anyway.
    update pgmq.q_lead_migration_queue q
    set
      msg_id = default,
      read_ct = default,
      enqueued_at = default,
      vt = case
        when v_status = 'paused' then 'infinity'
        when v_delay = interval '0' then 'epoch'
        else v_now + v_delay
      end,
      message = q.message || jsonb_build_object(
        'status', 'processing',
        'progress', jsonb_build_object(
          'moved', p_work.moved + p_result.moved,
          'remaining', p_remaining,
          'total', p_work.total,
          'last_batch_at', to_char(v_now at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        )
      )
    where q.msg_id = p_work.message_id
    returning q.msg_id
    into v_message_id;
  end if;

  update lead_mover.lanes l
  set
    message_id = v_message_id,
    next_id = p_result.next_id,
    skipped_leads = v_skipped,
    batch_size = case
      when l.batch_size >= v_move.batch_size then v_move.batch_size
      else lead_mover.grown_size(l, v_move.batch_size)
    end,
    total = l.total + greatest(v_uncounted, 0),
    moved = l.moved + p_result.moved,
    rejected = l.rejected + v_rejected,
    unchanged = l.unchanged + p_result.unchanged + greatest(-v_uncounted, 0),
    attempts = case when v_lock_waits = 0 then 0 else l.attempts end,
    last_error = case
      when v_lock_waits > 0 then format('%s leads estão bloqueados por outras transações', v_skipped)
    end,
    waits = case when v_lock_waits = 0 then 0 else l.waits end,
    lock_waits = v_lock_waits,
    waiting_since = case when v_lock_waits > 0 then coalesce(l.waiting_since, v_now) end,
    last_batch_at = v_now,
    finished_at = case when v_ended then v_now end
  where l.migration_id = v_lane.migration_id
    and l.lane = v_lane.lane;

  if p_too_many_rejections then
    v_failure := format(c_too_many, p_work.rejected + v_rejected, v_move.migration_id);
  elsif v_lock_waits > 0 and v_lane.waiting_since < v_now - lead_mover.longest_wait() then
    v_failure := format('%s leads estão bloqueados por outras transações desde %s', v_skipped, v_lane.waiting_since);
  end if;

  if v_ended then
    -- This row's lock orders two lanes that end at once, so that one of them reads 0.
    update lead_mover.moves m
    set
      open_lanes = m.open_lanes - 1,
      failure = coalesce(m.failure, v_failure)
    where m.migration_id = v_move.migration_id
    returning m.open_lanes, m.failure
    into v_open_lanes, v_failure;
  end if;

  p_outcome := 'moved';

  if v_status in ('cancelled', 'failed') then
    v_failure := null;
  elsif v_open_lanes = 0 then
    select p.*
    into v_progress
    from lead_mover.progress p
    where p.migration_id = v_move.migration_id;

    -- Every lead of the move was rejected, however few they are.
    if v_progress.rejected > 0 and v_progress.rejected = v_progress.total then
      v_failure := coalesce(v_failure, format(c_too_many, v_progress.rejected, v_move.migration_id));
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
    where m.migration_id = v_move.migration_id;

    p_outcome := case when v_failure is null then 'moved' else 'move_failed' end;
  elsif v_failure is not null then
    p_outcome := case when lead_mover.fail_move(v_move.migration_id, v_failure) then 'move_failed' else 'failed' end;
  elsif p_asynchronous and not v_ended and v_rejected = 0 and v_status <> 'paused' then
    perform set_config('synchronous_commit', 'off', true);
  end if;

  p_message := coalesce(
    v_failure, format('Batch processado: %s leads movidos, %s restantes', p_result.moved, p_remaining)
  );

  -- The lane's first batch in this second asks whether a message is to be sent. The end of the move has its own.
  if not v_ended and coalesce(v_lane.last_batch_at not between date_trunc('second', v_now) and v_now, true) then
    perform lead_mover.announce(v_move.migration_id, 'progress');
  end if;
end
$$;

select lead_mover.make_private('lead_mover.record_batch(lead_mover.work, lead_mover.batch_result, boolean, boolean)');

comment on function lead_mover.record_batch(lead_mover.work, lead_mover.batch_result, boolean, boolean) is 'Records a batch, and puts the lane''s message back or ends the lane.';
