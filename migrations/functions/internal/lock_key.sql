-- The key of the advisory lock of one move. A batch holds the lock shared until it commits. A function that
-- changes the status of the move holds it exclusively: it waits for the running batches and keeps new ones
-- from starting. The high bits are the letters LM, so that the key differs from an application's own.
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
