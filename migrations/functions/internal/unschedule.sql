-- Takes the schedule of lead_mover.schedule back. Returns whether there was one of the calling role.
create or replace function lead_mover.unschedule()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- As in begin_scheduled_run.
  c_schema constant text := 'cron';
  v_jobs bigint;
begin
  if not exists (select from pg_extension e where e.extname = 'pg_cron') then
    return false;
  end if;

  execute format($query$
    select count(%1$I.unschedule(j.jobid))
    from %1$I.job j
    where j.jobname = 'lead-mover'
      and j.username = current_user
  $query$, c_schema)
  into v_jobs;

  return v_jobs > 0;
end
$$;

select lead_mover.make_private('lead_mover.unschedule()');

comment on function lead_mover.unschedule() is 'Takes the schedule of lead_mover.schedule back; returns whether there was one.';
