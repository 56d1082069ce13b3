-- How long a lane may wait for other transactions without any progress, before its move fails.
create or replace function lead_mover.longest_wait()
returns interval
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return interval '24 hours';
end
$$;

select lead_mover.make_private('lead_mover.longest_wait()');

comment on function lead_mover.longest_wait() is 'How long a lane may wait for other transactions before its move fails.';
