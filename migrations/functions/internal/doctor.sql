-- Checks an installation by its catalogs, one row a check. `lead-mover doctor` also checks the connection, the
-- version of the schema, whether a notification is delivered, and failed moves.
-- p_workers: the number of workers of the service.
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
  select * from lead_mover.check_exposure()
  union all
  select * from lead_mover.check_mapping()
  union all
  select * from lead_mover.check_service()
$$;

select lead_mover.make_private('lead_mover.doctor(integer)');

comment on function lead_mover.doctor(integer) is 'Checks an installation: one row a check with its status (ok, warning, failure or skipped), finding and advice.';
