-- Pauses the run's active move. Its messages stay in the queue with vt = infinity until it is resumed. Messages
-- that an application sent itself and that no batch has adopted yet are adopted first. For a caller who does not see
-- the run there is no move.
create or replace function lead_mover.pause_move(p_run_id lead_mover.moves.run_id%type, p_is_seen boolean)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move lead_mover.moves;
  v_message_id bigint;
begin
  if p_is_seen then
    foreach v_message_id in array lead_mover.lock_sent_messages(p_run_id) loop
      perform lead_mover.adopt_message(q.msg_id, q.message)
      from pgmq.q_lead_migration_queue q
      where q.msg_id = v_message_id;
    end loop;

    v_move := lead_mover.lock_active_move(p_run_id);
  end if;

  update pgmq.q_lead_migration_queue q
  set vt = 'infinity'
  from lead_mover.lanes l
  where l.migration_id = v_move.migration_id
    and l.message_id = q.msg_id;

  update lead_mover.moves m
  set status = 'paused'
  where m.migration_id = v_move.migration_id;

  return lead_mover.control_result(
    p_run_id,
    v_move.migration_id,
    'Movimentação pausada: %s leads movidos, %s restantes'
  );
end
$$;

select lead_mover.make_private('lead_mover.pause_move');

comment on function lead_mover.pause_move is 'Pauses the active move of a run for a caller who has been checked.';
