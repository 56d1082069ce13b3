-- What pg_cron runs: batch after batch, each in a transaction of its own, until nothing is due or the time is over.
-- It is a block and no procedure, because a procedure that commits can have no search path of its own.
create or replace function lead_mover.scheduled_command(p_max_seconds double precision)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return format(
    $command$do $lead_mover$
declare
  v_end constant timestamptz := pg_catalog.clock_timestamp() + interval '%s seconds';
begin
  perform lead_mover.begin_scheduled_run();
  loop
    commit;
    exit when pg_catalog.clock_timestamp() >= v_end;
    exit when (select b.outcome = 'idle' from lead_mover.process_batch() b);
  end loop;
end
$lead_mover$
$command$,
    round(p_max_seconds::numeric, 3)
  );
end
$$;

select lead_mover.make_private('lead_mover.scheduled_command(double precision)');

comment on function lead_mover.scheduled_command(double precision) is 'The command that pg_cron runs.';
