-- Of the given leads without those in p_locked, the keys of those that are still to be moved, and how many are not:
-- deleted, out of the run, or at the target. For the settings, see next_leads.
create or replace function lead_mover.leads_left(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray,
  p_locked anyarray,
  out p_left anyarray,
  out p_done integer
)
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
  p_left := array(
    select l.id
    from lead_mover.leads l
    where l.run_id = p_run_id
      and l.run_id between p_run_id and p_run_id
      and l.id >= p_ids[1]
      and l.id <= p_ids[cardinality(p_ids)]
      and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true
      and (l.id in (select locked.id from unnest(p_locked) as locked (id))) is false
      and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
    order by l.id
  );
  p_done := cardinality(p_ids) - cardinality(p_locked) - cardinality(p_left);
end
$$;

select lead_mover.make_private('lead_mover.leads_left');

comment on function lead_mover.leads_left is 'Which of the leads that were not locked are still to be moved.';
