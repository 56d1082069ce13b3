-- What an SQLSTATE alone says of an error (appendix A of the PostgreSQL manual):
--   lead     a constraint or a trigger rejects a lead; a lead that fails alone is listed
--   lock     another transaction was in the way
--   server   the server or its surroundings: connection, disk full, time-out, shutdown
--   unclear  a trigger may have raised it for a lead, or the server for all of them (0A000: what a session has
--            prepared no longer fits its tables)
-- All but the first are tried again before a lead is held to be the cause.
create or replace function lead_mover.error_kind(p_sqlstate text)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_sqlstate in ('55P03', '40001', '40P01') then 'lock'
    when left(p_sqlstate, 2) in ('08', '53', '58') or left(p_sqlstate, 3) = '57P' or p_sqlstate = '57014' then 'server'
    when left(p_sqlstate, 2) in ('0A', '25', '40', '55', '57', 'XX') then 'unclear'
    else 'lead'
  end;
end
$$;

select lead_mover.make_private('lead_mover.error_kind(text)');

comment on function lead_mover.error_kind(text) is 'What an SQLSTATE says of an error: lead, lock, server or unclear.';
