-- How many leads of the run, not at the target, the caller may see and change, or of the whole run where there is no
-- target. Null where no row level security applies to the caller.
--
-- Where updates have a policy of their own, only a row lock asks it: the weakest one, which stops no other update.
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
begin
  select
    coalesce(bool_or(row_security_active(t.relation)), true),
    coalesce(bool_or(exists (select from pg_policy p where p.polrelid = t.relation and p.polcmd = 'w')), false)
  into v_is_active, v_has_update_policy
  from lead_mover.lead_columns() t;

  if not v_is_active then
    return null;
  end if;

  if v_has_update_policy then
    return (
      with seen as materialized (
        select
        from lead_mover.leads l
        where l.run_id = p_run_id
          and (p_column_id is null or funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
        for key share
      )
      select count(*)
      from seen
    );
  end if;

  return (
    select count(*)
    from lead_mover.leads l
    where l.run_id = p_run_id
      and (p_column_id is null or funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
  );
end
$$;

select lead_mover.make_private('lead_mover.count_seen_leads');

comment on function lead_mover.count_seen_leads is 'How many leads of a run the caller may see and change; null where no row level security applies.';
