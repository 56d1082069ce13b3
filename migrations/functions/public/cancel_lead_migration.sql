-- Cancels the run's active move. It waits for the running batches of that move. Once it has committed, no
-- further lead of the move is moved.
create or replace function public.cancel_lead_migration(p_run_id lead_mover.moves.run_id%type)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent bigint[];
  v_move lead_mover.moves;
  v_progress lead_mover.progress;
  v_messages integer;
begin
  -- Messages that an application sent itself, and no batch has adopted, have no row in the ledger.
  v_sent := lead_mover.lock_sent_messages(p_run_id);

  delete from pgmq.q_lead_migration_queue q
  where q.msg_id = any (v_sent);

  get diagnostics v_messages = row_count;

  v_move := lead_mover.lock_active_move(p_run_id);

  if v_move.migration_id is not null then
    v_messages := v_messages + lead_mover.close_move(v_move.migration_id, 'cancelled');
  end if;

  select p.*
  into v_progress
  from lead_mover.progress p
  where p.migration_id = v_move.migration_id;

  return jsonb_build_object(
    'success', true,
    'run_id', p_run_id,
    'cancelled_messages', v_messages,
    'leads_moved', coalesce(v_progress.moved, 0),
    'leads_remaining', coalesce(v_progress.remaining, 0),
    'message', case
      when v_move.migration_id is not null then format(
        'Movimentação cancelada: %s leads movidos, %s restantes', v_progress.moved, v_progress.remaining
      )
      when v_messages > 0 then 'Movimentação cancelada antes de começar'
      else 'Nenhuma movimentação ativa para esta extração'
    end
  );
exception
  when serialization_failure then
    raise exception using
      errcode = 'serialization_failure',
      message = sqlerrm,
      hint = lead_mover.hint_to_repeat();
end
$$;

select lead_mover.make_private('public.cancel_lead_migration');

comment on function public.cancel_lead_migration is 'Cancels the run''s active move. Once committed, no further lead of it is moved.';
