-- The result of pause and resume. p_text has two places, for the leads moved and those remaining.
create or replace function lead_mover.control_result(p_run_id lead_mover.moves.run_id%type, p_migration_id bigint, p_text text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_status text;
  v_progress lead_mover.progress;
begin
  select m.status
  into v_status
  from lead_mover.moves m
  where m.migration_id = p_migration_id;

  select p.*
  into v_progress
  from lead_mover.progress p
  where p.migration_id = p_migration_id;

  return jsonb_build_object(
    'success', true,
    'run_id', p_run_id,
    'migration_id', p_migration_id,
    'status', v_status,
    'leads_moved', coalesce(v_progress.moved, 0),
    'leads_remaining', coalesce(v_progress.remaining, 0),
    'message', case
      when p_migration_id is null then 'Nenhuma movimentação ativa para esta extração'
      else format(p_text, v_progress.moved, v_progress.remaining)
    end
  );
end
$$;

select lead_mover.make_private('lead_mover.control_result');

comment on function lead_mover.control_result is 'The result of pause_lead_migration and resume_lead_migration.';
