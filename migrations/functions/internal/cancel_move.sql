-- Does what cancel_lead_migration asks for: see there. For a caller who does not see the run there is no move.
create or replace function lead_mover.cancel_move(p_run_id lead_mover.moves.run_id%type, p_is_seen boolean)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent bigint[];
  v_move lead_mover.moves;
  v_progress lead_mover.progress;
  v_messages integer := 0;
begin
  if p_is_seen then
    -- Messages that an application sent itself, and no batch has adopted, have no row in the ledger.
    v_sent := lead_mover.lock_sent_messages(p_run_id);

    delete from pgmq.q_lead_migration_queue q
    where q.msg_id = any (v_sent);

    get diagnostics v_messages = row_count;

    v_move := lead_mover.lock_active_move(p_run_id);
  end if;

  if v_move.migration_id is not null then
    -- A move is one, however many lanes it has, as when it had one message.
    perform lead_mover.close_move(v_move.migration_id, 'cancelled');
    v_messages := v_messages + 1;
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
end
$$;

select lead_mover.make_private('lead_mover.cancel_move');

comment on function lead_mover.cancel_move is 'Cancels the active move of a run for a caller who has been checked.';
