-- Retries what the run's last move left, in a new move to the same target.
create or replace function public.retry_lead_migration(p_run_id lead_mover.moves.run_id%type)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result jsonb;
begin
  insert into lead_mover.requests (action, run_id)
  values ('retry', p_run_id)
  returning result
  into v_result;

  return v_result;
end
$$;

select lead_mover.make_private('public.retry_lead_migration');

comment on function public.retry_lead_migration is 'Retries the leads that the run''s failed move left, and those that its last move rejected.';
