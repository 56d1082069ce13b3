-- Does an error that was caught mean that somebody cancelled the statement? That has the same SQLSTATE as a
-- statement timeout, but is not for us to catch. The timeout's clock starts with the first part of what
-- the client sends, statement_timestamp() is the time of the last part: hence the tenth.
create or replace function lead_mover.is_cancelled(p_sqlstate text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_statement_timeout constant interval := current_setting('statement_timeout')::interval;
begin
  return p_sqlstate = '57014'
    and (
      v_statement_timeout = interval '0'
      or clock_timestamp() < statement_timestamp() + v_statement_timeout * 0.9
    );
end
$$;

select lead_mover.make_private('lead_mover.is_cancelled(text)');

comment on function lead_mover.is_cancelled(text) is 'Whether an SQLSTATE means that somebody cancelled the statement, rather than that it took too long.';
