-- Resumes the run's paused move: it sends new messages to the end of the queue, which wake the service at
-- commit. A move that is not paused stays as it is. The recorded failure of a move that was about to fail is
-- cleared; if its cause persists, the next batch records it again.
create or replace function public.resume_lead_migration(p_run_id lead_mover.moves.run_id%type)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move lead_mover.moves;
begin
  perform lead_mover.ensure_queue();
  v_move := lead_mover.lock_active_move(p_run_id);

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
exception
  when serialization_failure then
    raise exception using
      errcode = 'serialization_failure',
      message = sqlerrm,
      hint = lead_mover.hint_to_repeat();
end
$$;

select lead_mover.make_private('public.resume_lead_migration');

comment on function public.resume_lead_migration is 'Resumes the run''s paused move.';
