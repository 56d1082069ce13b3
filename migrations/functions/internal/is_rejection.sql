-- Whether an error rejects the lead, or may not come again at the next attempt. The classes below are those of
-- appendix A of the PostgreSQL manual that concern the state of the server or of the connection. A foreign key
-- error because the target was deleted rejects no lead: the next batch finds the target missing, and the move
-- fails.
create or replace function lead_mover.is_rejection(p_sqlstate text, p_move lead_mover.moves)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return left(p_sqlstate, 2) not in (
    '08', -- connection
    '25', -- transaction state: read-only after a failover
    '40', -- deadlock, serialization
    '53', -- disk full, out of memory, too many connections
    '55', -- lock not available
    '57', -- timeout, cancel, shutdown
    '58', -- the system
    'XX'  -- the server itself
  )
  and (p_sqlstate <> '23503' or lead_mover.target_exists(p_move.funnel_id, p_move.column_id));
end
$$;

select lead_mover.make_private('lead_mover.is_rejection(text, lead_mover.moves)');

comment on function lead_mover.is_rejection(text, lead_mover.moves) is 'Whether an SQLSTATE rejects the lead, rather than that the next attempt may succeed.';
