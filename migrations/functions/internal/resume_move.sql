-- Resumes the run's paused move: it sends new messages to the end of the queue, which wake the service at
-- commit. A move that is not paused stays as it is. The recorded failure of a move that was about to fail is
-- cleared; if its cause persists, the next batch records it again. For a caller who does not see the run there is no
-- move.
create or replace function lead_mover.resume_move(p_run_id lead_mover.moves.run_id%type, p_is_seen boolean)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move lead_mover.moves;
begin
  if p_is_seen then
    perform lead_mover.ensure_queue();
    v_move := lead_mover.lock_active_move(p_run_id);
  end if;

  if v_move.status = 'paused' then
    update lead_mover.moves m
    set
      status = case when m.started_at is null then 'pending' else 'processing' end,
      key_lock = lead_mover.needs_key_lock(),
      failure = null
    where m.migration_id = v_move.migration_id;

    delete from pgmq.q_lead_migration_queue q
    using lead_mover.lanes l
    where l.migration_id = v_move.migration_id
      and l.message_id = q.msg_id;

    update lead_mover.lanes l
    set
      message_id = null,
      attempts = 0,
      waits = 0,
      lock_waits = 0,
      waiting_since = null
    where l.migration_id = v_move.migration_id
      and l.finished_at is null;

    perform lead_mover.send_lanes(v_move.migration_id);
  end if;

  return lead_mover.control_result(
    p_run_id,
    v_move.migration_id,
    'Movimentação retomada: %s leads movidos, %s restantes'
  );
end
$$;

select lead_mover.make_private('lead_mover.resume_move');

comment on function lead_mover.resume_move is 'Resumes the paused move of a run for a caller who has been checked.';
