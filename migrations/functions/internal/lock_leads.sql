-- Locks those of the given leads that are in the run, not at the target, and not locked by another transaction;
-- returns their keys, at most p_limit. It waits for no lead.
--
-- With `no key update`, other transactions can add notes and other child rows to a lead that is being moved.
-- p_key_lock: the update needs the stronger lock (see lead_mover.needs_key_lock).
--
-- A view that joins other tables is locked by the key of the lead table: a lock through the view would lock the
-- rows of all its tables, and an outer join cannot be locked at all. A view whose key is an expression over such
-- a join stays without locks; then the update waits for other transactions.
--
-- The keys are in their order. The walk is along the part of the run's index between the first and the last, which
-- are mostly all there is between them. A look-up of each takes longer; and where the statistics say that a run
-- has few leads, the planner takes a walk along the whole run for it. `is true` makes the list of keys a hash table
-- that the walk asks, and not a join. For `between`, and for the settings, see next_leads.
create or replace function lead_mover.lock_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray,
  p_limit integer,
  p_key_lock boolean
)
returns anyarray
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
-- @plpgsql_check_options: anyelementtype = lead_mover.lead_key
#variable_conflict use_column
declare
  funnel_id constant lead_mover.moves.funnel_id%type := p_funnel_id;
  v_is_plain constant boolean := pg_relation_is_updatable('lead_mover.leads'::regclass, false) & 4 = 4;
  v_schema name;
  v_table name;
  v_key name;
  v_ids p_ids%type;
begin
  if v_is_plain and not p_key_lock then
    return array(
      select l.id
      from lead_mover.leads l
      where l.run_id = p_run_id
        and l.run_id between p_run_id and p_run_id
        and l.id >= p_ids[1]
        and l.id <= p_ids[cardinality(p_ids)]
        and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true
        and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
      order by l.id
      limit p_limit
      for no key update of l skip locked
    );
  end if;

  if v_is_plain then
    return array(
      select l.id
      from lead_mover.leads l
      where l.run_id = p_run_id
        and l.run_id between p_run_id and p_run_id
        and l.id >= p_ids[1]
        and l.id <= p_ids[cardinality(p_ids)]
        and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true
        and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
      order by l.id
      limit p_limit
      for update of l skip locked
    );
  end if;

  select n.nspname, c.relname, t.attname
  into v_schema, v_table, v_key
  from lead_mover.lead_columns() t
  join pg_class c on c.oid = t.relation
  join pg_namespace n on n.oid = c.relnamespace
  where t.view_column = 'id';

  v_ids := p_ids;

  if found and p_key_lock then
    execute format(
      'select array(select t.%1$I from %2$I.%3$I t where t.%1$I = any ($1) order by t.%1$I limit $2 for update skip locked)',
      v_key, v_schema, v_table
    )
    into v_ids
    using p_ids, p_limit;
  elsif found then
    execute format(
      'select array(select t.%1$I from %2$I.%3$I t where t.%1$I = any ($1) order by t.%1$I limit $2 for no key update skip locked)',
      v_key, v_schema, v_table
    )
    into v_ids
    using p_ids, p_limit;
  end if;

  return array(
    select l.id
    from lead_mover.leads l
    where l.run_id = p_run_id
      and l.run_id between p_run_id and p_run_id
      and l.id >= v_ids[1]
      and l.id <= v_ids[cardinality(v_ids)]
      and (l.id in (select listed.id from unnest(v_ids) as listed (id))) is true
      and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
    order by l.id
    limit p_limit
  );
end
$$;

select lead_mover.make_private('lead_mover.lock_leads');

comment on function lead_mover.lock_leads is 'Locks the leads that are still to be moved and that no other transaction has locked; returns their keys.';
