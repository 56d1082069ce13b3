-- Locks the next leads of a range that are not at the target, and returns their keys in their order, at most p_limit.
-- Nearly every batch takes them so. It waits for no lead: for one that another transaction has locked it raises an
-- error (55P03), and its caller goes on with next_leads and lock_leads, which pass it by.
--
-- For `between`, and for the settings, see next_leads.
create or replace function lead_mover.lock_next_leads(
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
    for no key update of l nowait
  );
end
$$;

select lead_mover.make_private('lead_mover.lock_next_leads');

comment on function lead_mover.lock_next_leads is 'Locks the next leads of a range that are not at the target, and returns their keys; raises an error where one is locked.';
