-- The advisory lock of one move. Batches hold it shared until they commit; whoever changes the state of
-- the move as a whole holds it exclusively, and so waits for the running batches and keeps new ones out.
-- The high bits spell LM, to stay clear of an application's own advisory locks.
create or replace function lead_mover.lock_key(p_migration_id bigint)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return x'4c4d000000000000'::bigint | p_migration_id;
end
$$;

select lead_mover.make_private('lead_mover.lock_key(bigint)');

comment on function lead_mover.lock_key(bigint) is 'The key of the advisory lock of one move.';
