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
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result jsonb;
begin
  insert into lead_mover.requests (action, run_id, funnel_id, column_id, batch_size)
  values ('queue', p_run_id, p_funnel_id, p_column_id, p_batch_size)
  returning result
  into v_result;

  return v_result;
end
$$;

select lead_mover.make_private('public.queue_lead_migration');

comment on function public.queue_lead_migration is 'Queues the move of a run''s leads to a funnel and column. Raises LM001: no such run; LM002: no such column; LM003: batch size; LM004: active move to another target; 42501: leads that the caller may not move.';
