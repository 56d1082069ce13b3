-- The active move of a run, locked exclusively: its running batches have ended, and no new batch starts until
-- this transaction ends. A row of nulls where the run has no active move.
create or replace function lead_mover.lock_active_move(p_run_id lead_mover.moves.run_id%type)
returns lead_mover.moves
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_move lead_mover.moves;
begin
  select m.*
  into v_move
  from lead_mover.moves m
  where m.run_id = p_run_id
    and m.status in ('pending', 'processing', 'paused');

  if not found then
    return null;
  end if;

  perform pg_advisory_xact_lock(lead_mover.lock_key(v_move.migration_id));

  -- The move may have ended during the wait for the lock.
  select m.*
  into v_move
  from lead_mover.moves m
  where m.migration_id = v_move.migration_id
    and m.status in ('pending', 'processing', 'paused')
  for update;

  return v_move;
end
$$;

select lead_mover.make_private('lead_mover.lock_active_move');

comment on function lead_mover.lock_active_move is 'The active move of a run, locked so that no batch of it runs.';
