-- One batch of one message: the heart of the lead mover. Always answers with one row; outcome says what
-- it was:
--   idle     nothing is due; next_due_seconds says when the next message will be (null: none waits)
--   moved    a batch went through (leads_moved may be 0 where all of them were locked elsewhere)
--   failed   a batch, or the adoption of a message, was undone; it comes back by itself
--   ended    the move has failed for good
--   refused  a message that an application sent was archived
-- pickup_seconds is set by the first batch of a move: the time since it was queued.
create or replace function lead_mover.process_batch(p_batch_size integer default null)
returns table (
  outcome text,
  message_id bigint,
  run_id uuid,
  run_name text,
  leads_moved integer,
  leads_rejected integer,
  leads_remaining bigint,
  text_for_people text,
  pickup_seconds double precision,
  next_due_seconds double precision
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- For all that it calls: a run imported a minute ago has no statistics, a session keeps the plans that it
-- made while the tables were tiny, and the plan must be a walk along an index all the same.
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
  v_migration lead_mover.migrations;
  v_lane lead_mover.lanes;
  v_progress lead_mover.progress;
  v_most_rejections bigint;
  v_batch record;
  v_pickup_seconds double precision;
begin
  if p_batch_size not between 1 and 10000 then
    raise exception using
      errcode = 'LM003',
      message = format('Tamanho de lote inválido: %s', p_batch_size),
      hint = 'Use um valor entre 1 e 10000, ou null para o tamanho com que a movimentação foi enfileirada.';
  end if;

  v_taken := lead_mover.take_message();

  if v_taken.p_message_id is null then
    return query
    select 'idle', null::bigint, null::uuid, null::text, 0, 0, 0::bigint, null::text, null::double precision, lead_mover.next_due_seconds();
    return;
  end if;

  if v_taken.p_reason is not null then
    return query
    select v_taken.p_outcome, v_taken.p_message_id, null::uuid, null::text, 0, 0, 0::bigint, v_taken.p_reason, null::double precision, null::double precision;
    return;
  end if;

  v_migration := v_taken.p_migration;
  v_lane := v_taken.p_lane;

  select p.*
  into v_progress
  from lead_mover.progress p
  where p.migration_id = v_migration.migration_id;

  if v_migration.failure is null and not lead_mover.target_exists(v_migration.funnel_id, v_migration.column_id) then
    v_migration.failure := format('A coluna de destino %s não existe mais no funil %s', v_migration.column_id, v_migration.funnel_id);
  end if;

  if v_migration.failure is not null then
    return query
    select
      case when lead_mover.fail_migration(v_migration.migration_id, v_migration.failure) then 'ended' else 'failed' end,
      v_taken.p_message_id, v_migration.run_id, v_migration.run_name, 0, 0, v_progress.remaining,
      v_migration.failure, null::double precision, null::double precision;
    return;
  end if;

  v_most_rejections := c_most_rejections - v_progress.rejected;
  v_batch := lead_mover.move_batch(v_migration, v_lane, least(p_batch_size, v_lane.batch_size), v_most_rejections);

  if v_batch.p_sqlstate is not null then
    return query
    select
      f.p_outcome, v_taken.p_message_id, v_migration.run_id, v_migration.run_name, 0, 0, v_progress.remaining,
      f.p_text, null::double precision, null::double precision
    from lead_mover.record_failure(
      v_taken.p_message_id, v_migration.migration_id, v_lane.lane, v_batch.p_sqlstate, v_batch.p_error
    ) f;
    return;
  end if;

  if v_migration.started_at is null then
    v_migration.started_at := statement_timestamp();

    update lead_mover.migrations m
    set
      status = 'processing',
      started_at = v_migration.started_at
    where m.migration_id = v_migration.migration_id
      and m.started_at is null;

    if found then
      v_pickup_seconds := extract(epoch from clock_timestamp() - v_migration.queued_at);
    end if;
  end if;

  return query
  select
    r.p_outcome, v_taken.p_message_id, v_migration.run_id, v_migration.run_name, v_batch.p_moved, v_batch.p_rejected, r.p_remaining,
    coalesce(r.p_failure, format('Batch processado: %s leads movidos, %s restantes', v_batch.p_moved, r.p_remaining)),
    v_pickup_seconds, null::double precision
  from lead_mover.record_batch(
    v_taken.p_message_id, v_migration, v_batch.p_lane, v_progress,
    v_batch.p_moved, v_batch.p_rejected, v_batch.p_settled, v_batch.p_rejected >= v_most_rejections
  ) r;
end
$$;

select lead_mover.make_private('lead_mover.process_batch(integer)');

comment on function lead_mover.process_batch(integer) is 'One batch of one message, with all that the service wants to know of it.';
