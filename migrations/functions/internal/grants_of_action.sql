-- What a role needs for an action, as in a grant. The functions of lead_mover among it are the checks, and for `serve`
-- those that the service calls. A statement needs every function of a policy, also one that it does not come to.
create or replace function lead_mover.grants_of_action(p_action text, p_all_runs boolean)
returns setof text
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
    'actor', 'allows', 'check_caller', 'count_seen_leads', 'has_funnels', 'is_trusted', 'lead_columns', 'may_move_a_lead',
    'raise_no_column', 'raise_no_run', 'raise_not_allowed', 'sees_run', 'undo', 'views_of_owner', 'write_as_caller'
  ];
  v_changes constant boolean := p_action in ('queue', 'cancel', 'control');
begin
  return next 'usage on schema lead_mover';
  return next 'select on lead_mover.openings';
  return query
  select 'execute on function ' || p.oid::regprocedure
  from jsonb_array_elements_text(c_functions -> p_action) f
  join pg_proc p on p.oid = f::regproc
  union all
  select 'execute on function ' || p.oid::regprocedure
  from pg_proc p
  where p.pronamespace = 'lead_mover'::regnamespace
    and case
      when not p_all_runs then p.proname = any (c_checks)
      when v_changes then p.proname in ('actor', 'is_trusted', 'sees_run', 'views_of_owner')
      when p_action = 'progress' then p.proname in ('is_trusted', 'sees_run', 'views_of_owner')
      else false
    end;

  if p_action = 'serve' then
    return next 'select on lead_mover.schema_files';
  end if;

  if v_changes or p_action = 'progress' then
    return next 'select on lead_mover.moves';
  end if;

  if p_action = 'progress' then
    return next 'select on lead_mover.lanes';
    return next 'select on lead_mover.rejections';
    return next 'select on lead_mover.progress';
  end if;

  if v_changes then
    return next 'insert on lead_mover.requests';
    return next 'select (result) on lead_mover.requests';
  end if;

  if v_changes and not p_all_runs then
    return next 'select on lead_mover.leads';
    return next 'select on lead_mover.columns';
    return next case
      when lead_mover.has_funnels() then 'update (funnel_id, column_id) on lead_mover.leads'
      else 'update (column_id) on lead_mover.leads'
    end;
  end if;

  if not p_all_runs then
    return next 'select on lead_mover.runs';
  end if;
end
$$;

select lead_mover.make_private('lead_mover.grants_of_action(text, boolean)');

comment on function lead_mover.grants_of_action(text, boolean) is 'What a role needs for an action, as in a grant.';
