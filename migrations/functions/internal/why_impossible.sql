-- Why no batch of the move can succeed: its failure is recorded already, or the target is gone. Null: it can.
create or replace function lead_mover.why_impossible(p_work lead_mover.work)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move constant lead_mover.moves := p_work.move;
begin
  if v_move.failure is null and not lead_mover.target_exists(v_move.funnel_id, v_move.column_id) then
    return format('A coluna de destino %s não existe mais', v_move.column_id)
      || case when lead_mover.has_funnels() then format(' no funil %s', coalesce(v_move.funnel_id::text, 'null')) else '' end;
  end if;

  return v_move.failure;
end
$$;

select lead_mover.make_private('lead_mover.why_impossible(lead_mover.work)');

comment on function lead_mover.why_impossible(lead_mover.work) is 'Why no batch of the move can succeed; null where it can.';
