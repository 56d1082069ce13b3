-- Pauses the run's active move until it is resumed or cancelled.
create or replace function public.pause_lead_migration(p_run_id lead_mover.moves.run_id%type)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result jsonb;
begin
  insert into lead_mover.requests (action, run_id)
  values ('pause', p_run_id)
  returning result
  into v_result;

  return v_result;
end
$$;

select lead_mover.make_private('public.pause_lead_migration');

comment on function public.pause_lead_migration is 'Pauses the run''s active move until it is resumed or cancelled.';
