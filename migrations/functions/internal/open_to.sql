-- Opens actions to a role, and remembers it, so that migrate opens the same after a restore. By row level security each
-- caller can do to a run only what the policies and grants of the mapped tables let them do to its leads, and sees the
-- moves of the runs that they see. p_all_runs passes that by.
create or replace function lead_mover.open_to(
  p_role regrole,
  p_actions text[] default array['queue', 'progress', 'cancel'],
  p_all_runs boolean default false
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_actions constant text[] := array['queue', 'progress', 'cancel', 'control', 'status', 'process', 'serve'];
  -- They are about the queue as a whole.
  c_of_all_runs constant text[] := array['status', 'process', 'serve'];
  v_role constant text := (select r.rolname from pg_roles r where r.oid = p_role);
  v_views text[];
begin
  if p_actions is null or cardinality(p_actions) = 0 or not p_actions <@ c_actions then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('no such actions: %s', p_actions),
      hint = format('Actions are: %s.', array_to_string(c_actions, ', '));
  end if;

  if v_role is null then
    raise exception using
      errcode = 'undefined_object',
      message = 'there is no such role';
  end if;

  if not p_all_runs and p_actions && c_of_all_runs then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('%s are actions on all runs', array_to_string(c_of_all_runs, ', ')),
      hint = format('For a role of your own: select lead_mover.open_to(%L, %L, p_all_runs => true);', v_role, p_actions);
  end if;

  if not p_all_runs and current_setting('server_version_num')::integer < 150000 then
    raise exception using
      errcode = 'feature_not_supported',
      message = 'views run with the rights of their owner before PostgreSQL 15, so that every run would be open',
      hint = 'Upgrade the server, or call the functions from a function of your own that checks its caller first.';
  end if;

  insert into lead_mover.openings (role_name, action, all_runs)
  select v_role, a, p_all_runs
  from unnest(p_actions) as a
  on conflict (role_name, action) do update
  set all_runs = excluded.all_runs;

  perform lead_mover.apply_openings();

  v_views := lead_mover.views_of_owner();

  if not p_all_runs and cardinality(v_views) > 0 then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = format('views below the mapping show all rows to everyone: %s', array_to_string(v_views, ', ')),
      hint = format('Run: alter view %s set (security_invoker = true); for each of them.', v_views[1]);
  end if;
end
$$;

select lead_mover.make_private('lead_mover.open_to(regrole, text[], boolean)');

comment on function lead_mover.open_to(regrole, text[], boolean) is 'Opens actions to a role: queue, progress, cancel, control; status, process, serve with p_all_runs.';
