-- The keys of the next leads of a range that are not at the target, in their order, at most p_limit. It locks
-- nothing.
--
-- A run imported a minute ago has no statistics, and a session keeps plans from when the tables were tiny. The
-- plan must be an index scan in both cases. The settings below end with this function, which fires no trigger.
--
-- `between` repeats the condition of `=` and does not make the scan longer. It makes the planner estimate so
-- few leads of a run that it chooses no other index, whatever the statistics are. A scan of the primary key
-- has the same order, but reads the leads of all other runs.
--
-- The view has no funnel_id where the CRM has no funnels. Then `funnel_id` is the variable, which is the same for all
-- leads; a column of that name comes first.
create or replace function lead_mover.next_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_first_id anyelement,
  p_last_id anyelement,
  p_limit integer
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
begin
  return array(
    select l.id
    from lead_mover.leads l
    where l.run_id = p_run_id
      and l.run_id between p_run_id and p_run_id
      and l.id >= p_first_id
      and l.id <= p_last_id
      and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
    order by l.id
    limit p_limit
  );
end
$$;

select lead_mover.make_private('lead_mover.next_leads');

comment on function lead_mover.next_leads is 'The keys of the next leads of a range that are not at the target.';
