-- Ends the move, or records that it fails, where no batch can succeed: its failure is recorded already, or the
-- target is gone. p_outcome null: the batch can go on.
create or replace function lead_mover.fail_if_impossible(
  p_work lead_mover.work,
  out p_outcome text,
  out p_message text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move constant lead_mover.moves := p_work.move;
begin
  p_message := v_move.failure;

  if p_message is null and not lead_mover.target_exists(v_move.funnel_id, v_move.column_id) then
    p_message := format('A coluna de destino %s não existe mais no funil %s', v_move.column_id, v_move.funnel_id);
  end if;

  if p_message is not null then
    p_outcome := case when lead_mover.fail_move(v_move.migration_id, p_message) then 'move_failed' else 'failed' end;
  end if;
end
$$;

select lead_mover.make_private('lead_mover.fail_if_impossible(lead_mover.work)');

comment on function lead_mover.fail_if_impossible(lead_mover.work) is 'Ends a move whose failure is recorded or whose target is gone.';
