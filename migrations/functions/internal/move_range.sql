-- Moves the next leads of a range, at most p_limit, in one walk along the index: the way of nearly every
-- batch. It does not pass by locked leads. Where it meets one that is not free within a millisecond, or
-- anything else that is not plain, it raises, and its caller goes the long way round (move_leads).
--
-- For its search_path, and the operators with a schema, see move_leads.
--
-- `between` repeats what `=` says, and the walk does not become longer by it. It makes the leads of a run
-- seem so few to the planner that it takes no other index, whatever the statistics say: a walk along the
-- primary key, over the same keys, meets the leads of all the other runs.
--
-- p_next_id: where the batch after this one starts; null at the end of the range.
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
  -- Both parts see the same snapshot, so leads that are added meanwhile cannot make it more than p_limit.
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
      message = 'some leads of the batch were changed by others, or a trigger suppressed the update';
  end if;

  -- What a deferred constraint has to say must be said here, where its batch can still be undone alone.
  set constraints all immediate;
end
$$;

select lead_mover.make_private('lead_mover.move_range(lead_mover.moves, anyelement, anyelement, integer)');

comment on function lead_mover.move_range(lead_mover.moves, anyelement, anyelement, integer) is 'Moves the next leads of a range in one walk along the index, if nothing stands in the way.';
