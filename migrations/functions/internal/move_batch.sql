-- Moves the next batch of a lane: the next leads of its range or, when the range is done, those that it passed by.
-- It locks the leads, without p_skip_locked all at once or else those that are free, and moves them together or,
-- with p_bisect, by halves (see bisect_leads). It raises errors for the caller to record.
create or replace function lead_mover.move_batch(
  p_work lead_mover.work,
  p_limit integer,
  p_skip_locked boolean,
  p_constraints text,
  p_bisect boolean,
  p_all_errors boolean,
  p_most_rejections bigint
)
returns lead_mover.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_revisited constant integer := 1000;
  v_move constant lead_mover.moves := p_work.move;
  v_lane constant lead_mover.lanes := p_work.lane;
  -- See lock_leads for the other cases.
  v_locks_at_once constant boolean := not p_skip_locked
    and not v_move.key_lock
    and pg_relation_is_updatable('lead_mover.leads'::regclass, false) & 4 = 4;
  v_result lead_mover.batch_result;
  v_ids lead_mover.batch_result.waiting%type;
  v_locked lead_mover.batch_result.waiting%type;
  v_batch record;
begin
  -- One more lead is read than is moved: the batch after this one starts at it.
  if v_lane.next_id is not null and v_locks_at_once then
    v_ids := lead_mover.lock_next_leads(
      v_move.run_id, v_move.funnel_id, v_move.column_id, v_lane.next_id, v_lane.last_id, p_limit + 1
    );
    v_locked := v_ids[:p_limit];
  elsif v_lane.next_id is not null then
    v_ids := lead_mover.next_leads(
      v_move.run_id, v_move.funnel_id, v_move.column_id, v_lane.next_id, v_lane.last_id, p_limit + 1
    );
  else
    -- More than fit into a batch, so that locked leads do not hold up free ones behind them. A batch of one lead
    -- takes the first, so that its failure is that lead's.
    select coalesce(array_agg(page.position), '{}'), coalesce(array_agg(page.lead_id order by page.lead_id), '{}')
    into v_result.revisited, v_ids
    from (
      select s.position, s.lead_id
      from lead_mover.skipped_leads s
      where s.migration_id = v_lane.migration_id
        and s.lane = v_lane.lane
      order by s.position
      limit case when p_limit = 1 then 1 else greatest(p_limit, c_revisited) end
    ) page;
  end if;

  if v_lane.next_id is not null then
    v_result.next_id := v_ids[p_limit + 1];
    v_ids := v_ids[:p_limit];
  end if;

  if v_locked is null then
    v_locked := lead_mover.lock_leads(
      v_move.run_id, v_move.funnel_id, v_move.column_id, v_ids, p_limit, v_move.key_lock
    );
  end if;

  if not p_bisect then
    v_batch := lead_mover.move_leads(v_move.run_id, v_move.funnel_id, v_move.column_id, v_locked, p_constraints);
    v_result.waiting := '{}';
  else
    v_batch := lead_mover.bisect_leads(
      v_move.run_id, v_move.funnel_id, v_move.column_id, v_locked, p_constraints, p_all_errors,
      v_lane.next_id is null and p_work.moved > 0, p_most_rejections
    );
    v_result.waiting := v_batch.p_untried;
  end if;

  v_result.moved := v_batch.p_moved;
  v_result.unchanged := v_batch.p_gone;
  v_result.rejected := v_batch.p_rejected;
  v_result.sqlstates := v_batch.p_sqlstates;
  v_result.errors := v_batch.p_errors;

  -- Of the other leads, those that still need the move are locked by another transaction, or did not fit into
  -- the batch.
  if cardinality(v_locked) < cardinality(v_ids) then
    v_batch := lead_mover.leads_left(v_move.run_id, v_move.funnel_id, v_move.column_id, v_ids, v_locked);
    v_result.waiting := v_result.waiting || v_batch.p_left;
    v_result.unchanged := v_result.unchanged + v_batch.p_done;
  end if;

  return v_result;
end
$$;

select lead_mover.make_private('lead_mover.move_batch(lead_mover.work, integer, boolean, text, boolean, boolean, bigint)');

comment on function lead_mover.move_batch(lead_mover.work, integer, boolean, text, boolean, boolean, bigint) is 'Moves the next batch of a lane, past locked leads and around rejected ones.';
