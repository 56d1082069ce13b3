-- Writes down what a batch did: the lane's progress and its next message, or its end. The last lane to end
-- ends the move. p_lane and p_progress come as they are after the batch.
create or replace function lead_mover.record_batch(
  p_message_id bigint,
  p_migration lead_mover.migrations,
  p_lane lead_mover.lanes,
  p_progress lead_mover.progress,
  p_too_many_rejections boolean,
  out p_outcome text,
  out p_remaining bigint,
  out p_failure text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_done boolean := p_lane.next_id is null and cardinality(p_lane.skipped) = 0;
  v_uncounted bigint;
  v_delay interval;
  v_open_lanes integer;
begin
  p_outcome := 'moved';
  p_lane.last_batch_at := clock_timestamp();

  if v_done then
    -- Counted leads that were never met are gone, or were put there by somebody. Where there were more
    -- than counted, some were added to the run since, and moved with the rest.
    v_uncounted := p_lane.moved + p_lane.rejected + p_lane.settled - p_lane.total;
    p_lane.settled := p_lane.settled + greatest(-v_uncounted, 0);
    p_lane.total := p_lane.total + greatest(v_uncounted, 0);
    p_progress.remaining := p_progress.remaining + v_uncounted;
    p_lane.message_id := null;
    p_lane.finished_at := p_lane.last_batch_at;

    delete from pgmq.q_lead_migration_queue q
    where q.msg_id = p_message_id;
  else
    -- Only where everything was locked is there something to wait for: 0.1 s, doubling to 5 s.
    v_delay := case
      when p_lane.lock_waits = 0 then interval '0'
      else least(interval '0.1 seconds' * 2 ^ least(p_lane.lock_waits - 1, 10), interval '5 seconds')
    end;
    p_lane.message_id := lead_mover.put_back(
      p_message_id,
      lead_mover.message(
        p_migration, p_lane.lane, p_progress.moved, greatest(p_progress.remaining, 0), p_progress.total, p_lane.last_batch_at
      ),
      v_delay
    );
  end if;

  p_remaining := greatest(p_progress.remaining, 0);

  update lead_mover.lanes l
  set
    message_id = p_lane.message_id,
    next_id = p_lane.next_id,
    skipped = p_lane.skipped,
    batch_size = least(p_migration.batch_size, p_lane.batch_size * 2),
    total = p_lane.total,
    moved = p_lane.moved,
    rejected = p_lane.rejected,
    settled = p_lane.settled,
    attempts = case when p_lane.lock_waits = 0 then 0 else p_lane.attempts end,
    last_error = case when p_lane.lock_waits = 0 then null else p_lane.last_error end,
    lock_waits = p_lane.lock_waits,
    last_batch_at = p_lane.last_batch_at,
    finished_at = p_lane.finished_at
  where l.migration_id = p_lane.migration_id
    and l.lane = p_lane.lane;

  if p_too_many_rejections then
    p_failure := format(
      'Leads recusados demais: %s; veja get_lead_migration_rejections(%s)', p_progress.rejected, p_migration.migration_id
    );
  end if;

  if v_done then
    -- Two lanes that end at once are put in order by this row, so that one of them sees 0.
    update lead_mover.migrations m
    set
      open_lanes = m.open_lanes - 1,
      failure = coalesce(m.failure, p_failure)
    where m.migration_id = p_migration.migration_id
    returning m.open_lanes, m.failure
    into v_open_lanes, p_failure;

    if v_open_lanes = 0 then
      update lead_mover.migrations m
      set
        status = case
          when m.failure is not null then 'failed'
          when p.rejected > 0 then 'completed_with_errors'
          else 'completed'
        end,
        finished_at = clock_timestamp()
      from lead_mover.progress p
      where m.migration_id = p_migration.migration_id
        and p.migration_id = m.migration_id;

      p_outcome := case when p_failure is null then 'moved' else 'ended' end;
      return;
    end if;
  end if;

  if p_failure is not null then
    p_outcome := case when lead_mover.fail_migration(p_migration.migration_id, p_failure) then 'ended' else 'failed' end;
  end if;
end
$$;

select lead_mover.make_private('lead_mover.record_batch(bigint, lead_mover.migrations, lead_mover.lanes, lead_mover.progress, boolean)');

comment on function lead_mover.record_batch(bigint, lead_mover.migrations, lead_mover.lanes, lead_mover.progress, boolean) is 'Writes down what a batch did, and puts the lane''s message back or ends the lane.';
