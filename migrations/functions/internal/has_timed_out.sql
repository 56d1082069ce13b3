-- Whether a caught error is that of statement_timeout or of lock_timeout, and not one that a trigger raised with the
-- same SQLSTATE. p_since: when the lock can have been asked for at the earliest. The statement's time starts
-- with the first part of what the client sends; statement_timestamp() is the time of the last part. The tenth
-- that is taken off allows for that.
create or replace function lead_mover.has_timed_out(p_sqlstate text, p_since timestamptz)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant interval := case p_sqlstate
    when '57014' then current_setting('statement_timeout')::interval
    when '55P03' then current_setting('lock_timeout')::interval
  end;
begin
  return coalesce(
    v_limit > interval '0'
      and clock_timestamp() >= case p_sqlstate when '57014' then statement_timestamp() else p_since end + v_limit * 0.9,
    false
  );
end
$$;

select lead_mover.make_private('lead_mover.has_timed_out(text, timestamptz)');

comment on function lead_mover.has_timed_out(text, timestamptz) is 'Whether a caught error is that of statement_timeout or lock_timeout.';
