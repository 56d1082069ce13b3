-- The slow path: moves the given leads in one statement, if they are still in the run, not at the target and
-- not locked by another transaction. It raises every error of a constraint, also a deferred one, and of a
-- trigger.
--
-- Triggers of the lead table run with this function's search_path. Many name their tables without a schema
-- and find them in public (or in extensions, on Supabase) when an application writes, so the path has both.
-- The function itself names its objects with a schema, so that no object in public takes their place. That
-- includes the operators between keys: for varchar, for example, pg_catalog has no operator of that very type,
-- and one in public, where other roles may create it, would be the better match.
--
-- p_skipped: leads that another transaction has locked, for a later batch. p_unchanged: how many leads needed
-- no move (deleted, out of the run, or at the target already).
create or replace function lead_mover.move_leads(
  p_move lead_mover.moves,
  p_ids anyarray,
  out p_moved integer,
  out p_unchanged integer,
  out p_skipped anyarray
)
language plpgsql
volatile
set search_path = pg_catalog, public, extensions, pg_temp
as $$
declare
  v_moved_ids p_ids%type;
  v_held integer;
begin
  -- With `no key`, other transactions can add notes and other child rows to a lead that is being moved.
  with listed as materialized (
    select u.id
    from pg_catalog.unnest(p_ids) as u (id)
  ),
  held as materialized (
    select l.id
    from listed
    join lead_mover.leads l on l.id operator(pg_catalog.=) listed.id
    where l.run_id = p_move.run_id
      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)
    order by l.id
    for no key update of l skip locked
  ),
  moved as (
    update lead_mover.leads l
    set
      funnel_id = p_move.funnel_id,
      column_id = p_move.column_id
    from held
    where l.id operator(pg_catalog.=) held.id
    returning l.id
  )
  select
    array(select moved.id from moved),
    (select pg_catalog.count(*) from held)
  into v_moved_ids, v_held;

  p_moved := pg_catalog.cardinality(v_moved_ids);
  p_unchanged := 0;
  p_skipped := '{}';

  if p_moved < v_held then
    raise exception using
      errcode = 'triggered_action_exception',
      message = 'a trigger on the lead table suppressed the update';
  end if;

  -- A deferred constraint must raise its error here, where this batch alone can still be undone.
  set constraints all immediate;

  -- Of the other leads, those that still need the move are locked.
  if p_moved < pg_catalog.cardinality(p_ids) then
    select
      pg_catalog.count(*) filter (where l.id is null),
      coalesce(pg_catalog.array_agg(listed.id order by listed.id) filter (where l.id is not null), '{}')
    into p_unchanged, p_skipped
    from pg_catalog.unnest(p_ids) as listed (id)
    left join lead_mover.leads l
      on l.id operator(pg_catalog.=) listed.id
      and l.run_id = p_move.run_id
      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)
    where listed.id operator(pg_catalog.<>) all (v_moved_ids);
  end if;
end
$$;

select lead_mover.make_private('lead_mover.move_leads(lead_mover.moves, anyarray)');

comment on function lead_mover.move_leads(lead_mover.moves, anyarray) is 'Moves the given leads in one statement and skips locked ones.';
