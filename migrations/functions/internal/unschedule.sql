-- Takes the schedule of lead_mover.schedule back. Returns whether there was one of the calling role.
create or replace function lead_mover.unschedule()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs bigint;
begin
  if not exists (select from pg_extension e where e.extname = 'pg_cron') then
    return false;
  end if;

  execute $query$
    select count(cron.unschedule(j.jobid))
    from cron.job j
    where j.jobname = 'lead-mover'
      and j.username = current_user
  $query$
  into v_jobs;

  return v_jobs > 0;
end
$$;

select lead_mover.make_private('lead_mover.unschedule()');

comment on function lead_mover.unschedule() is 'Takes the schedule of lead_mover.schedule back; returns whether there was one.';
