-- What can be told of an installation from the catalogs, one row a check. `lead-mover doctor` shows the same, and
-- beside it the connection, the version of the schema, whether a notification comes back, and failed moves.
-- p_workers: how many workers the service is to have.
create or replace function lead_mover.doctor(p_workers integer default 2)
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select * from lead_mover.check_server(p_workers)
  union all
  select * from lead_mover.check_queue()
  union all
  select * from lead_mover.check_rights()
  union all
  select * from lead_mover.check_mapping()
$$;

select lead_mover.make_private('lead_mover.doctor(integer)');

comment on function lead_mover.doctor(integer) is 'Whether all that moves need is there, one row a check with status (ok, warning, failure, skipped), finding and advice.';
