-- The hint of a serialization failure: in a transaction that is not `read committed`, a function cannot see what was
-- committed while it waited for a batch.
create or replace function lead_mover.hint_to_repeat()
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return 'Repita a chamada em outra transação. Em "begin isolation level read committed" isso não acontece.';
end
$$;

select lead_mover.make_private('lead_mover.hint_to_repeat()');

comment on function lead_mover.hint_to_repeat() is 'The hint of a serialization failure.';
