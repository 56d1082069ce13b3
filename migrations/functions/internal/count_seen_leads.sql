-- How many leads of the run, not at the target, the caller may see and change, or of the whole run where there is no
-- target. Null where no row level security applies to the caller.
--
-- Where not every policy is for all commands, only a row lock asks those for updates: the weakest one, which stops no
-- other update.
create or replace function lead_mover.count_seen_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  funnel_id constant lead_mover.moves.funnel_id%type := p_funnel_id;
  v_is_active boolean;
  v_has_update_policy boolean;
  v_seen bigint;
begin
  select
    coalesce(bool_or(row_security_active(t.relation)), true),
    coalesce(bool_or(exists (select from pg_policy p where p.polrelid = t.relation and p.polcmd <> '*')), false)
  into v_is_active, v_has_update_policy
  from lead_mover.lead_columns() t;

  if not v_is_active then
    return null;
  end if;

  if not v_has_update_policy then
    return lead_mover.count_leads(p_run_id, p_funnel_id, p_column_id);
  end if;

  -- The locks are undone at once.
  begin
    with seen as materialized (
      select
      from lead_mover.leads l
      where l.run_id = p_run_id
        and (p_column_id is null or funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
      for key share
    )
    select count(*)
    into v_seen
    from seen;

    perform lead_mover.undo();
  exception
    when sqlstate 'LM999' then
      return v_seen;
    -- Views with an outer join cannot be locked, so the policy cannot be asked.
    when feature_not_supported then
      return 0;
  end;

  return v_seen;
end
$$;

select lead_mover.make_private('lead_mover.count_seen_leads');

comment on function lead_mover.count_seen_leads is 'How many leads of a run the caller may see and change; null where no row level security applies.';
