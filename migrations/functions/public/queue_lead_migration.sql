-- Queues the move of every lead of the run that is not in that funnel and column yet. It is part of the
-- caller's transaction: it queues a move and notifies the service only if that commits.
create or replace function public.queue_lead_migration(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_batch_size integer default 100
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move lead_mover.moves;
  v_total bigint;
begin
  v_move := lead_mover.start_move(p_run_id, p_funnel_id, p_column_id, p_batch_size);

  v_total := coalesce(
    (select p.total from lead_mover.progress p where p.migration_id = v_move.migration_id),
    0
  );

  return jsonb_build_object(
    'success', true,
    'message_id', v_move.message_id,
    'migration_id', v_move.migration_id,
    'run_id', p_run_id,
    'run_name', (select lead_mover.printable(r.name::text) from lead_mover.runs r where r.id = p_run_id),
    'funnel_id', case when lead_mover.has_funnels() then p_funnel_id end,
    'column_id', p_column_id,
    'total', v_total,
    'message', case
      when v_move.migration_id is null then 'Nenhum lead a mover: todos já estão no destino'
      else format('Movimentação enfileirada: %s leads serão movidos', v_total)
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

select lead_mover.make_private('public.queue_lead_migration');

comment on function public.queue_lead_migration is 'Queues the move of a run''s leads to a funnel and column. Raises LM001: no such run; LM002: no such column; LM003: batch size; LM004: active move to another target.';
