-- The fast path: moves the next leads of a range, at most p_limit, in one index scan. Nearly every batch takes
-- it. It does not skip locked leads. For a lead that stays locked for a millisecond, and for every other
-- problem, it raises an error, and its caller takes the slow path (move_leads).
--
-- For its search_path, and the operators with a schema, see move_leads.
--
-- `between` repeats the condition of `=` and does not make the scan longer. It makes the planner estimate so
-- few leads of a run that it chooses no other index, whatever the statistics are. A scan of the primary key
-- has the same order, but reads the leads of all other runs.
--
-- p_next_id: the key at which the batch after this one starts; null at the end of the range.
create or replace function lead_mover.move_range(
  p_move lead_mover.moves,
  p_first_id anyelement,
  p_last_id anyelement,
  p_limit integer,
  out p_moved integer,
  out p_next_id anyelement
)
language plpgsql
volatile
set search_path = pg_catalog, public, extensions, pg_temp
set lock_timeout = '1ms'
as $$
declare
  v_expected integer;
begin
  -- Both parts have the same snapshot, so leads that are added meanwhile cannot make it more than p_limit.
  with page as materialized (
    select l.id
    from lead_mover.leads l
    where l.run_id = p_move.run_id
      and l.run_id between p_move.run_id and p_move.run_id
      and l.id operator(pg_catalog.>=) p_first_id
      and l.id operator(pg_catalog.<=) p_last_id
      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)
    order by l.id
    limit p_limit + 1
  ),
  moved as (
    update lead_mover.leads l
    set
      funnel_id = p_move.funnel_id,
      column_id = p_move.column_id
    where l.run_id = p_move.run_id
      and l.run_id between p_move.run_id and p_move.run_id
      and l.id operator(pg_catalog.>=) p_first_id
      and l.id operator(pg_catalog.<=) coalesce((select page.id from page order by page.id offset p_limit - 1 limit 1), p_last_id)
      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)
    returning 1
  )
  select
    (select pg_catalog.count(*) from moved),
    (select least(pg_catalog.count(*), p_limit) from page),
    (select page.id from page order by page.id offset p_limit limit 1)
  into p_moved, v_expected, p_next_id;

  if p_moved < v_expected then
    raise exception using
      errcode = 'lock_not_available',
      message = 'another transaction changed some leads of the batch, or a trigger suppressed the update';
  end if;

  -- A deferred constraint must raise its error here, where this batch alone can still be undone.
  set constraints all immediate;
end
$$;

select lead_mover.make_private('lead_mover.move_range(lead_mover.moves, anyelement, anyelement, integer)');

comment on function lead_mover.move_range(lead_mover.moves, anyelement, anyelement, integer) is 'The fast path: moves the next leads of a range in one index scan.';
