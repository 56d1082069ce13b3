-- What a role needs for an action: kind and name of an object as in opened_objects, privilege, and column where the
-- privilege is on one. The functions of lead_mover among it are the checks, and for `serve` those that the service
-- calls. A statement needs every function of a policy, also one that it does not come to.
create or replace function lead_mover.grants_of_action(p_action text, p_all_runs boolean)
returns table (kind text, name text, privilege text, attribute text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  c_functions constant jsonb := '{
    "queue": ["public.queue_lead_migration"],
    "progress": ["public.get_lead_migration_progress", "public.get_lead_migration_rejections", "lead_mover.printable"],
    "cancel": ["public.cancel_lead_migration"],
    "control": ["public.pause_lead_migration", "public.resume_lead_migration", "public.retry_lead_migration"],
    "status": ["public.get_lead_migration_queue_status"],
    "process": ["public.process_lead_migration_batch"],
    "serve": [
      "lead_mover.process_batch", "lead_mover.sample", "lead_mover.next_message_id", "lead_mover.record_lost_batch"
    ]
  }'::jsonb;
  -- They run with the rights of a caller who is not trusted.
  c_checks constant text[] := array[
    'actor', 'allows', 'check_caller', 'count_leads', 'count_seen_leads', 'has_funnels', 'is_trusted', 'lead_columns', 'may_move_a_lead',
    'raise_no_column', 'raise_no_run', 'raise_not_allowed', 'sees_run', 'undo', 'views_of_owner', 'write_as_caller'
  ];
  v_changes constant boolean := p_action in ('queue', 'cancel', 'control');
  v_reads constant boolean := p_action = 'progress';
begin
  return query
  select 'function', p.oid::regprocedure::text, 'EXECUTE', null::text
  from jsonb_array_elements_text(c_functions -> p_action) f
  join pg_proc p on p.oid = f::regproc
  union all
  select 'function', p.oid::regprocedure::text, 'EXECUTE', null::text
  from pg_proc p
  where p.pronamespace = 'lead_mover'::regnamespace
    and (v_changes or v_reads)
    and case
      when not p_all_runs then p.proname = any (c_checks)
      when v_changes then p.proname in ('actor', 'is_trusted', 'sees_run', 'views_of_owner')
      else p.proname in ('is_trusted', 'sees_run', 'views_of_owner')
    end
  union all
  select w.kind, w.name, w.privilege, w.attribute
  from (
    values
      (true, 'schema', 'lead_mover', 'USAGE', null),
      (true, 'table', 'lead_mover.openings', 'SELECT', null),
      (p_action = 'serve', 'table', 'lead_mover.schema_files', 'SELECT', null),
      (v_changes or v_reads, 'table', 'lead_mover.moves', 'SELECT', null),
      (v_reads, 'table', 'lead_mover.lanes', 'SELECT', null),
      (v_reads, 'table', 'lead_mover.rejections', 'SELECT', null),
      (v_reads, 'table', 'lead_mover.progress', 'SELECT', null),
      (v_changes, 'table', 'lead_mover.requests', 'INSERT', null),
      (v_changes, 'table', 'lead_mover.requests', 'SELECT', 'result'),
      (not p_all_runs, 'table', 'lead_mover.runs', 'SELECT', null),
      (v_changes and not p_all_runs, 'table', 'lead_mover.leads', 'SELECT', null),
      (v_changes and not p_all_runs, 'table', 'lead_mover.columns', 'SELECT', null),
      (v_changes and not p_all_runs, 'table', 'lead_mover.leads', 'UPDATE', 'column_id'),
      (v_changes and not p_all_runs and lead_mover.has_funnels(), 'table', 'lead_mover.leads', 'UPDATE', 'funnel_id')
  ) as w (is_wanted, kind, name, privilege, attribute)
  where w.is_wanted;
end
$$;

select lead_mover.make_private('lead_mover.grants_of_action(text, boolean)');

comment on function lead_mover.grants_of_action(text, boolean) is 'The privileges that a role needs for an action.';
