-- Cancels the run's active move. It waits for the running batches of that move. Once it has committed, no
-- further lead of the move is moved.
create or replace function public.cancel_lead_migration(p_run_id lead_mover.moves.run_id%type)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result jsonb;
begin
  insert into lead_mover.requests (action, run_id)
  values ('cancel', p_run_id)
  returning result
  into v_result;

  return v_result;
end
$$;

select lead_mover.make_private('public.cancel_lead_migration');

comment on function public.cancel_lead_migration is 'Cancels the run''s active move. Once committed, no further lead of it is moved.';
