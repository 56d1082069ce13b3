-- Raises the serialization failure of a control function again, with what the caller can do. In a transaction that is
-- not `read committed`, a function cannot see what was committed while it waited for a batch.
create or replace function lead_mover.ask_again(p_error text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'serialization_failure',
    message = p_error,
    hint = 'Repita a chamada em outra transação. Em "begin isolation level read committed" isso não acontece.';
end
$$;

select lead_mover.make_private('lead_mover.ask_again(text)');

comment on function lead_mover.ask_again(text) is 'Raises a serialization failure again, with a hint.';
