-- Plans the update of the given leads, which the caller has locked, and returns it as a cursor. The first `fetch`
-- runs all of it and returns one array: the keys of the leads that it wrote.
--
-- Planning and running are apart, because the triggers of the lead table must run under the session's own
-- settings. The planner's settings below end with this function, and no trigger fires before the fetch. For
-- the condition, see lock_leads; for the settings, next_leads. PL/pgSQL plans only the statement that it runs.
create or replace function lead_mover.open_update(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray
)
returns refcursor
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
-- @plpgsql_check_options: anyelementtype = lead_mover.lead_key
declare
  v_update refcursor;
begin
  if lead_mover.has_funnels() then
    open v_update no scroll for
      with written as (
        update lead_mover.leads l
        set
          funnel_id = p_funnel_id,
          column_id = p_column_id
        where l.run_id = p_run_id
          and l.run_id between p_run_id and p_run_id
          and l.id >= p_ids[1]
          and l.id <= p_ids[cardinality(p_ids)]
          and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true
        returning l.id
      )
      select array(select written.id from written);
  else
    open v_update no scroll for
      with written as (
        update lead_mover.leads l
        set column_id = p_column_id
        where l.run_id = p_run_id
          and l.run_id between p_run_id and p_run_id
          and l.id >= p_ids[1]
          and l.id <= p_ids[cardinality(p_ids)]
          and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true
        returning l.id
      )
      select array(select written.id from written);
  end if;

  return v_update;
end
$$;

select lead_mover.make_private('lead_mover.open_update');

comment on function lead_mover.open_update is 'Plans the update of locked leads, and returns it as a cursor that the caller fetches from.';
