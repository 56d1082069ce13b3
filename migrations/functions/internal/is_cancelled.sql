-- Whether a caught error means that the statement was cancelled from outside (pg_cancel_backend, Ctrl-C in psql),
-- which must not be caught. A trigger may raise the same SQLSTATE. The server's own text tells them apart, where
-- the server's messages are in English; else the cancel counts as a failed attempt. p_context: a `raise` in
-- PL/pgSQL is named in its first line, and dblink and postgres_fdw name themselves when they hand on an error of
-- another session.
create or replace function lead_mover.is_cancelled(p_sqlstate text, p_error text, p_context text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_sqlstate = '57014'
    and p_error = 'canceling statement due to user request'
    and split_part(p_context, E'\n', 1) !~ ' RAISE$'
    and p_context !~ E'(^|\n)(remote SQL command: |while .* on (unnamed dblink connection|dblink connection named ))';
end
$$;

select lead_mover.make_private('lead_mover.is_cancelled(text, text, text)');

comment on function lead_mover.is_cancelled(text, text, text) is 'Whether a caught error means that the statement was cancelled from outside.';
