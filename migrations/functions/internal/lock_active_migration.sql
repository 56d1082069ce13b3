-- The active move of a run, locked exclusively: its running batches have ended and no new one begins until
-- this transaction ends. A row of nulls where the run has no active move.
create or replace function lead_mover.lock_active_migration(p_run_id uuid)
returns lead_mover.migrations
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_migration lead_mover.migrations;
begin
  select m.*
  into v_migration
  from lead_mover.migrations m
  where m.run_id = p_run_id
    and m.status in ('pending', 'processing', 'paused');

  if not found then
    return null;
  end if;

  perform pg_advisory_xact_lock(lead_mover.lock_key(v_migration.migration_id));

  -- It may have ended while we waited.
  select m.*
  into v_migration
  from lead_mover.migrations m
  where m.migration_id = v_migration.migration_id
    and m.status in ('pending', 'processing', 'paused')
  for update;

  return v_migration;
end
$$;

select lead_mover.make_private('lead_mover.lock_active_migration(uuid)');

comment on function lead_mover.lock_active_migration(uuid) is 'The active move of a run, locked so that no batch of it runs.';
