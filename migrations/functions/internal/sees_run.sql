-- The row level security of the ledger: a move can be seen by a caller who sees its run.
create or replace function lead_mover.sees_run(p_move lead_mover.moves)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select
      from lead_mover.runs r
      where r.id = p_move.run_id
    )
    and lead_mover.allows('progress', p_move.run_id, p_move.funnel_id, p_move.column_id);
end
$$;

select lead_mover.make_private('lead_mover.sees_run(lead_mover.moves)');

comment on function lead_mover.sees_run(lead_mover.moves) is 'Whether the caller sees the run of a move.';
