-- Does an error mean that the lead cannot be moved, or only that it did not work this time? The classes
-- below are those of the manual's appendix A that speak of the server's or the connection's state. Where a
-- foreign key says no because the target is there no more, that is no lead's fault: the next batch finds it
-- missing, and the move fails.
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

comment on function lead_mover.is_rejection(text, lead_mover.moves) is 'Whether an SQLSTATE means that a lead''s move is refused, rather than that it may work later.';
