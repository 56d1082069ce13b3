-- The key of the advisory lock that a batch holds until it commits where the batch before it failed. It differs from
-- that of lock_key in one bit.
create or replace function lead_mover.retry_lock_key(p_migration_id bigint)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return lead_mover.lock_key(p_migration_id) | x'0000800000000000'::bigint;
end
$$;

select lead_mover.make_private('lead_mover.retry_lock_key(bigint)');

comment on function lead_mover.retry_lock_key(bigint) is 'The key of the advisory lock of a move''s batches that are tried again.';
