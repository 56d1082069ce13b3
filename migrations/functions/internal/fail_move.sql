-- Ends a move as failed. A batch of that move calls it. If batches of other lanes of the move are running, it
-- only records the failure in the ledger, and the next batch that runs alone ends the move (see
-- take_message). If it waited for the other batches here, two batches that fail at once would wait for each
-- other. Returns whether the move has ended.
create or replace function lead_mover.fail_move(p_migration_id bigint, p_failure text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_try_advisory_xact_lock(lead_mover.lock_key(p_migration_id)) then
    perform lead_mover.close_move(p_migration_id, 'failed', p_failure);
    return true;
  end if;

  update lead_mover.moves m
  set failure = p_failure
  where m.migration_id = p_migration_id
    and m.failure is null;

  return false;
end
$$;

select lead_mover.make_private('lead_mover.fail_move(bigint, text)');

comment on function lead_mover.fail_move(bigint, text) is 'Ends a move as failed, or records the failure so that the next batch ends it.';
