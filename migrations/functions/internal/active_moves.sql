-- The moves that have not finished, by the index that has only those, whatever statistics the planner has.
create or replace function lead_mover.active_moves()
returns table (migration_id bigint, status text)
language sql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set jit = off
as $$
  select m.migration_id, m.status
  from lead_mover.moves m
  where m.status in ('pending', 'processing', 'paused')
$$;

select lead_mover.make_private('lead_mover.active_moves()');

comment on function lead_mover.active_moves() is 'The moves that have not finished, with their status.';
