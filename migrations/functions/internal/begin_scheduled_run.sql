-- Begins a run of the schedule. pg_cron opens a session for each.
--
-- A lock that is not to be had in five seconds is held by a long transaction, and the batch comes back later, as in
-- the sessions of the service.
--
-- An error at the commit of a batch ends the run, and nothing can catch it there. So the next run records it for the
-- message that is first in the queue, which is the one that was first then: else it would be first for ever, and hold
-- up all others. A run that was cancelled, or that found no server, says nothing about a message.
--
-- Once in about a hundred runs it deletes the rows of cron.job_run_details of its own runs: after an hour, or after a
-- week if the run failed. Nothing else does, and at a run a second they are 80 000 a day.
create or replace function lead_mover.begin_scheduled_run()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A name in a text: linters look for the tables of one that is written out, and pg_cron may not be there.
  c_schema constant text := 'cron';
  c_share_of_runs constant double precision := 0.01;
  -- pg_cron's table has no index on the job. The last run of ours is among the last of all.
  c_runs_to_read constant integer := 1000;
  v_job_ids bigint[];
  v_status text;
  v_error text;
begin
  if current_setting('lock_timeout') = '0' then
    perform set_config('lock_timeout', '5s', false);
  end if;

  -- It is not there where the extension is in another database.
  if not exists (
    select
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'cron'
      and c.relname = 'job_run_details'
  ) then
    return;
  end if;

  execute format($query$
    select array_agg(j.jobid)
    from %I.job j
    where j.jobname = 'lead-mover'
      and j.username = current_user
      and j.database = current_database()
  $query$, c_schema)
  into v_job_ids;

  execute format($query$
    select d.status, d.return_message
    from %1$I.job_run_details d
    where d.runid > (select max(r.runid) from %1$I.job_run_details r) - $2
      and d.jobid = any ($1)
      and d.status in ('succeeded', 'failed')
    order by d.runid desc
    limit 1
  $query$, c_schema)
  into v_status, v_error
  using v_job_ids, c_runs_to_read;

  if v_status = 'failed' and v_error ~ '^ERROR: ' and v_error !~ '^ERROR: +canceling statement ' then
    perform lead_mover.record_lost_batch(
      lead_mover.next_message_id(), 'XX000', regexp_replace(v_error, E'^ERROR: +|\\s*\\nCONTEXT: .*$|\\s+$', '', 'g')
    );
  end if;

  if random() < c_share_of_runs then
    execute format($query$
      delete from %1$I.job_run_details d
      where d.jobid = any ($1)
        and (
          d.status = 'succeeded' and d.end_time < now() - interval '1 hour'
          or d.end_time < now() - interval '7 days'
        )
    $query$, c_schema)
    using v_job_ids;
  end if;
exception
  when insufficient_privilege then
    raise log 'lead mover: the runs of pg_cron cannot be read: %', sqlerrm;
end
$$;

select lead_mover.make_private('lead_mover.begin_scheduled_run()');

comment on function lead_mover.begin_scheduled_run() is 'Begins a run of the schedule: records what the last one failed with, and deletes old rows of its runs.';
