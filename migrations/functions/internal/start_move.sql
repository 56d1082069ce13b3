-- Starts a move: counts the leads of the run that are not at the target, splits their keys into lanes and
-- sends a message for each lane. If the run has an active move to the same target, it returns that move. It
-- returns a row of nulls when there is no lead to move.
--
-- p_message_id: a message that an application sent and that is in the queue already. It becomes the first
-- lane's message instead of a new one.
create or replace function lead_mover.start_move(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_batch_size integer,
  p_requested_by text,
  p_message_id bigint default null
)
returns lead_mover.moves
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
  funnel_id constant lead_mover.moves.funnel_id%type := p_funnel_id;
  v_funnel_id lead_mover.moves.funnel_id%type := p_funnel_id;
  c_most_lanes constant integer := 16;
  c_least_lane constant integer := 1000;
  v_batch_size constant integer := coalesce(p_batch_size, 100);
  v_step integer;
  v_run_name text;
  v_move lead_mover.moves;
  v_last_id lead_mover.lanes.last_id%type;
  v_first_ids lead_mover.batch_result.waiting%type;
  v_last_ids lead_mover.batch_result.waiting%type;
  v_total bigint;
  v_lanes integer;
begin
  v_run_name := lead_mover.check_target(p_run_id, p_funnel_id, p_column_id, v_batch_size);
  perform lead_mover.ensure_queue();

  if not lead_mover.has_funnels() then
    v_funnel_id := null;
  end if;

  -- The length of a lane is a multiple of the batch size, so that only the last batch of a move is smaller.
  v_step := v_batch_size * ceil(c_least_lane::numeric / v_batch_size)::integer;

  loop
    select *
    into v_move
    from lead_mover.moves m
    where m.run_id = p_run_id
      and m.status in ('pending', 'processing', 'paused');

    if found then
      if v_move.funnel_id is not distinct from v_funnel_id and v_move.column_id = p_column_id then
        -- Its messages may have been taken out of the queue, and its lanes out of the ledger: then it has failed.
        perform lead_mover.repair(v_move.migration_id);
        continue when not exists (
          select
          from lead_mover.moves m
          where m.migration_id = v_move.migration_id
            and m.status in ('pending', 'processing', 'paused')
        );
        return v_move;
      end if;

      raise exception using
        errcode = 'LM004',
        message = format('A extração %s já tem uma movimentação ativa para outro destino', p_run_id),
        hint = format(
          'Cancele-a primeiro: select cancel_lead_migration(%L). Destino atual: %s.',
          p_run_id, concat_ws(', ', 'funil ' || v_move.funnel_id::text, 'coluna ' || v_move.column_id::text)
        );
    end if;

    -- Here and below, only the index on the run has the leads in that order. With `=` for the run the primary
    -- key has that order too, and a scan of it reads the leads of all other runs.
    select l.id
    into v_last_id
    from lead_mover.leads l
    where l.run_id between p_run_id and p_run_id
      and l.id is not null
      and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
    order by l.run_id desc, l.id desc
    limit 1;

    if not found then
      return null;
    end if;

    -- One index scan counts the leads and finds the first and the last key of each v_step leads. They come in the
    -- order of their numbers; from PostgreSQL 16 on, `order by` in the aggregates would sort all leads of the run.
    select
      count(*),
      array_agg(counted.id) filter (where counted.n % v_step = 1 or v_step = 1),
      array_agg(counted.id) filter (where counted.n % v_step = 0)
    into v_total, v_first_ids, v_last_ids
    from (
      select l.id, row_number() over (order by l.run_id, l.id) as n
      from lead_mover.leads l
      where l.run_id between p_run_id and p_run_id
        and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
        and l.id <= v_last_id
    ) counted;

    if v_total = 0 then
      return null;
    end if;

    if v_total % v_step > 0 then
      v_last_ids := v_last_ids || v_last_id;
    end if;
    v_lanes := least(c_most_lanes, cardinality(v_first_ids));

    insert into lead_mover.moves (
      run_id, run_name, funnel_id, column_id, batch_size, key_lock, open_lanes, requested_by, queued_at
    )
    values (
      p_run_id, v_run_name, v_funnel_id, p_column_id, v_batch_size, lead_mover.needs_key_lock(), v_lanes, p_requested_by,
      coalesce((select q.enqueued_at from pgmq.q_lead_migration_queue q where q.msg_id = p_message_id), clock_timestamp())
    )
    on conflict (run_id) where status in ('pending', 'processing', 'paused') do nothing
    returning *
    into v_move;

    exit when found;
  end loop;

  -- Lane k has the steps from from_step to to_step.
  insert into lead_mover.lanes (migration_id, lane, message_id, next_id, last_id, batch_size, total)
  select
    v_move.migration_id,
    lane.k,
    case when lane.k = 1 then p_message_id end,
    v_first_ids[lane.from_step],
    v_last_ids[lane.to_step],
    v_batch_size,
    least(lane.to_step * v_step::bigint, v_total) - (lane.from_step - 1) * v_step::bigint
  from (
    select
      k,
      (k - 1) * cardinality(v_first_ids) / v_lanes + 1 as from_step,
      k * cardinality(v_first_ids) / v_lanes as to_step
    from generate_series(1, v_lanes) as k
  ) lane;

  if p_message_id is not null then
    update pgmq.q_lead_migration_queue q
    set message = lead_mover.message(v_move, 1, 0, v_total, v_total, null)
    where q.msg_id = p_message_id;

    update lead_mover.moves m
    set message_id = p_message_id
    where m.migration_id = v_move.migration_id;
  end if;

  return lead_mover.send_lanes(v_move.migration_id);
end
$$;

select lead_mover.make_private('lead_mover.start_move');

comment on function lead_mover.start_move is 'Starts a move, split into lanes with a message each, or returns the active move to the same target.';
