-- Where the given leads of the run, in the order of their keys, stand: how many are at the target, and which are
-- elsewhere. The others are gone: deleted, or out of the run. For the settings, see next_leads.
--
-- The first query answers in nearly every case. For the condition, see lock_leads.
create or replace function lead_mover.standing_of_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray,
  out p_at_target integer,
  out p_elsewhere anyarray
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
  v_at_target p_ids%type;
begin
  v_at_target := array(
    select k.id
    from (
      select l.id, funnel_id is not distinct from p_funnel_id and l.column_id = p_column_id as is_at_target
      from lead_mover.leads l
      where l.run_id = p_run_id
        and l.run_id between p_run_id and p_run_id
        and l.id >= p_ids[1]
        and l.id <= p_ids[cardinality(p_ids)]
      order by l.id
      limit cardinality(p_ids) + 1
    ) k
    where k.is_at_target
  );

  if v_at_target = p_ids then
    p_at_target := cardinality(p_ids);
    p_elsewhere := '{}';
    return;
  end if;

  select
    count(*) filter (where funnel_id is not distinct from p_funnel_id and l.column_id = p_column_id),
    coalesce(
      array_agg(l.id) filter (where funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id),
      '{}'
    )
  into p_at_target, p_elsewhere
  from lead_mover.leads l
  where l.run_id = p_run_id
    and l.run_id between p_run_id and p_run_id
    and l.id >= p_ids[1]
    and l.id <= p_ids[cardinality(p_ids)]
    and (l.id in (select listed.id from unnest(p_ids) as listed (id))) is true;
end
$$;

select lead_mover.make_private('lead_mover.standing_of_leads');

comment on function lead_mover.standing_of_leads is 'Where the given leads stand: how many are at the target, and which are elsewhere.';
