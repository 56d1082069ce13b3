-- Retries what the run's last move left: the leads that a failed move did not get to, and the rejected leads.
-- It starts a new move to the same target and does not change the old move's row. It does not read leads that
-- the old move moved, wherever users have put them since. For a caller who does not see the run there is no move.
create or replace function lead_mover.retry_move(
  p_run_id lead_mover.moves.run_id%type,
  p_is_seen boolean,
  p_requested_by text
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old lead_mover.moves;
  v_new lead_mover.moves;
  v_rejected lead_mover.batch_result.rejected%type;
  v_lanes integer := 0;
  v_active boolean;
  v_total bigint := 0;
begin
  select m.*
  into v_old
  from lead_mover.moves m
  where m.run_id = p_run_id
    and p_is_seen
  order by m.migration_id desc
  limit 1
  for update;

  v_active := v_old.status in ('pending', 'processing', 'paused');

  if v_old.status in ('failed', 'completed_with_errors') then
    perform lead_mover.check_target(p_run_id, v_old.funnel_id, v_old.column_id, v_old.batch_size);

    v_rejected := lead_mover.rejected_keys(v_old.migration_id, v_rejected);

    select count(*) + case when cardinality(v_rejected) > 0 then 1 else 0 end
    into v_lanes
    from lead_mover.lanes l
    where l.migration_id = v_old.migration_id
      and l.finished_at is null;
  end if;

  if v_lanes > 0 then
    insert into lead_mover.moves (
      run_id, run_name, funnel_id, column_id, batch_size, key_lock, open_lanes, retry_of,
      requested_by
    )
    values (
      p_run_id, v_old.run_name, v_old.funnel_id, v_old.column_id, v_old.batch_size, lead_mover.needs_key_lock(), v_lanes,
      v_old.migration_id, p_requested_by
    )
    on conflict (run_id) where status in ('pending', 'processing', 'paused') do nothing
    returning *
    into v_new;

    -- Another transaction started a move of the run at the same time.
    v_active := not found;
  end if;

  if v_active then
    raise exception using
      errcode = 'LM004',
      message = format('A extração %s tem uma movimentação ativa', p_run_id),
      hint = format('Espere que termine, ou cancele-a: select cancel_lead_migration(%L).', p_run_id);
  end if;

  if v_lanes > 0 then
    with open_lane as (
      select l.*, row_number() over (order by l.lane)::integer as new_lane
      from lead_mover.lanes l
      where l.migration_id = v_old.migration_id
        and l.finished_at is null
    ),
    lane as (
      insert into lead_mover.lanes (migration_id, lane, next_id, last_id, skipped_leads, batch_size, total)
      select
        v_new.migration_id,
        l.new_lane,
        l.next_id,
        l.last_id,
        l.skipped_leads,
        v_new.batch_size,
        -- Below 0 if leads were added to the run and moved.
        greatest(l.total - l.moved - l.rejected - l.unchanged, 0)
      from open_lane l
      union all
      select v_new.migration_id, v_lanes, null, null, cardinality(v_rejected), v_new.batch_size, cardinality(v_rejected)
      where cardinality(v_rejected) > 0
    )
    insert into lead_mover.skipped_leads (migration_id, lane, lead_id)
    select v_new.migration_id, skipped.lane, skipped.lead_id
    from (
      select l.new_lane as lane, s.position, s.lead_id
      from open_lane l
      join lead_mover.skipped_leads s on s.migration_id = l.migration_id and s.lane = l.lane
      union all
      select v_lanes, r.n, r.id
      from unnest(v_rejected) with ordinality as r (id, n)
    ) skipped
    order by skipped.lane, skipped.position;

    v_new := lead_mover.send_lanes(v_new.migration_id);

    select p.total
    into v_total
    from lead_mover.progress p
    where p.migration_id = v_new.migration_id;
  end if;

  return jsonb_build_object(
    'success', true,
    'message_id', v_new.message_id,
    'migration_id', v_new.migration_id,
    'run_id', p_run_id,
    'run_name', lead_mover.printable(v_old.run_name),
    'funnel_id', v_old.funnel_id,
    'column_id', v_old.column_id,
    'total', v_total,
    'message', case
      when v_new.migration_id is null then 'Nada a repetir: a última movimentação desta extração não deixou leads para trás'
      else format('Movimentação enfileirada de novo: %s leads serão movidos', v_total)
    end
  );
end
$$;

select lead_mover.make_private('lead_mover.retry_move');

comment on function lead_mover.retry_move is 'Retries what the last move of a run left, for a caller who has been checked.';
