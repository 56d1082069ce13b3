-- Whether a caught error means that the statement was cancelled from outside. A cancel has the same SQLSTATE
-- as a statement timeout, but must not be caught. The timeout starts with the first part of what the client
-- sends; statement_timestamp() is the time of the last part. The tenth that is taken off allows for that.
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

comment on function lead_mover.is_cancelled(text) is 'Whether an SQLSTATE means that the statement was cancelled from outside, rather than by statement_timeout.';
