-- Does what queue_lead_migration asks for: see there. The caller has been checked.
create or replace function lead_mover.queue_move(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_batch_size integer,
  p_requested_by text
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move lead_mover.moves;
  v_total bigint;
begin
  v_move := lead_mover.start_move(p_run_id, p_funnel_id, p_column_id, p_batch_size, p_requested_by);

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
end
$$;

select lead_mover.make_private('lead_mover.queue_move');

comment on function lead_mover.queue_move is 'Queues a move for a caller who has been checked.';
