-- Processes one batch of one message. It always returns one row. outcome is one of
--   idle              nothing is due; next_due_seconds is the time until a message is (null: none will be)
--   moved             the batch succeeded (leads_moved is 0 if other transactions had all its leads locked)
--   failed            the batch, or the adoption of a message, was undone; its message is due again later
--   move_failed       the move has ended as failed
--   message_archived  a message that an application sent was archived
-- pickup_seconds is set by the first batch of a move: the time since the move was queued.
create or replace function lead_mover.process_batch(
  p_batch_size integer default null,
  out outcome text,
  out message_id bigint,
  out run_id uuid,
  out run_name text,
  out leads_moved integer,
  out leads_rejected integer,
  out leads_remaining bigint,
  out message text,
  out pickup_seconds double precision,
  out next_due_seconds double precision
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- These settings hold for all that it calls. A run imported a minute ago has no statistics, and a session keeps
-- plans from when the tables were tiny; the plan must be an index scan in both cases.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  c_most_rejections constant bigint := 1000;
  v_taken record;
  v_move lead_mover.moves;
  v_lane lead_mover.lanes;
  v_most_rejections bigint;
  v_batch record;
  v_recorded record;
begin
  if p_batch_size not between 1 and 10000 then
    raise exception using
      errcode = 'LM003',
      message = format('Tamanho de lote inválido: %s', p_batch_size),
      hint = 'Use um valor entre 1 e 10000, ou null para o tamanho com que a movimentação foi enfileirada.';
  end if;

  leads_moved := 0;
  leads_rejected := 0;
  leads_remaining := 0;
  v_taken := lead_mover.take_message();
  message_id := v_taken.p_message_id;

  if message_id is null then
    outcome := 'idle';
    next_due_seconds := lead_mover.next_due_seconds();
    return;
  end if;

  if v_taken.p_reason is not null then
    outcome := v_taken.p_outcome;
    message := v_taken.p_reason;
    return;
  end if;

  v_move := v_taken.p_move;
  v_lane := v_taken.p_lane;
  run_id := v_move.run_id;
  run_name := v_move.run_name;
  leads_remaining := (v_taken.p_progress).remaining;
  message := v_move.failure;

  if message is null and not lead_mover.target_exists(v_move.funnel_id, v_move.column_id) then
    message := format('A coluna de destino %s não existe mais no funil %s', v_move.column_id, v_move.funnel_id);
  end if;

  if message is not null then
    outcome := case when lead_mover.fail_move(v_move.migration_id, message) then 'move_failed' else 'failed' end;
    return;
  end if;

  v_most_rejections := c_most_rejections - (v_taken.p_progress).rejected;
  v_batch := lead_mover.move_batch(v_move, v_lane, least(p_batch_size, v_lane.batch_size), v_most_rejections);

  if v_batch.p_sqlstate is null then
    v_recorded := lead_mover.record_batch(
      message_id, v_move, v_batch.p_lane, v_taken.p_progress,
      v_batch.p_moved, v_batch.p_rejected, v_batch.p_unchanged, v_batch.p_rejected >= v_most_rejections
    );
    leads_moved := v_batch.p_moved;
    leads_rejected := v_batch.p_rejected;
    leads_remaining := v_recorded.p_remaining;
    pickup_seconds := v_recorded.p_pickup_seconds;
  else
    v_recorded := lead_mover.record_failure(
      message_id, v_move.migration_id, v_lane.lane, v_batch.p_sqlstate, v_batch.p_error
    );
  end if;

  outcome := v_recorded.p_outcome;
  message := v_recorded.p_message;
end
$$;

select lead_mover.make_private('lead_mover.process_batch(integer)');

comment on function lead_mover.process_batch(integer) is 'Processes one batch of one message and returns one row with its outcome and counts.';
