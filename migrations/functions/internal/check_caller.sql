-- Raises an error unless the caller may do this action to the run, by the row level security and the grants of the
-- mapped tables. For a caller who is trusted, or to whom the action is not open, it is not called.
--
-- A run that the caller does not see does not exist: p_is_seen. p_leads_seen: how many leads of the run, not at the
-- target, the caller may see and change; null where no row level security applies to the caller.
create or replace function lead_mover.check_caller(
  p_action text,
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  out p_is_seen boolean,
  out p_leads_seen bigint
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  funnel_id constant lead_mover.moves.funnel_id%type := p_funnel_id;
  v_views constant text[] := lead_mover.views_of_owner();
begin
  if cardinality(v_views) > 0 then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('Views que mostram todas as linhas: %s', array_to_string(v_views, ', ')),
      hint = 'O operador corrige com: lead-mover migrate';
  end if;

  p_is_seen := exists (select from lead_mover.runs r where r.id = p_run_id);

  if not p_is_seen then
    if p_action = 'queue' then
      perform lead_mover.raise_no_run(p_run_id);
    end if;

    return;
  end if;

  if p_column_id is not null and not exists (
    select
    from lead_mover.columns c
    where c.id = p_column_id
      and funnel_id is not distinct from p_funnel_id
  ) then
    perform lead_mover.raise_no_column(p_funnel_id, p_column_id);
  end if;

  p_leads_seen := lead_mover.count_seen_leads(p_run_id, p_funnel_id, p_column_id);

  if not lead_mover.may_move_a_lead(p_run_id, p_funnel_id, p_column_id)
    or not lead_mover.allows(p_action, p_run_id, p_funnel_id, p_column_id)
  then
    perform lead_mover.raise_not_allowed(p_run_id);
  end if;
end
$$;

select lead_mover.make_private('lead_mover.check_caller');

comment on function lead_mover.check_caller is 'Raises an error unless the caller may do an action to a run, by the caller''s own row level security and grants.';
