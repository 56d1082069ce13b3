-- Ends a move as failed, called by a batch of it. If batches of its other lanes are running it only says
-- so in the ledger: the next batch that comes by when they are done ends it (see process_batch). Waiting
-- for them here would be waiting for somebody who may want the same. Answers with whether it has ended.
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

comment on function lead_mover.fail_move(bigint, text) is 'Ends a move as failed, or marks it for the next batch to end.';
