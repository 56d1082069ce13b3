-- How many leads of the run are not at the target, or are in the run where there is no target.
create or replace function lead_mover.count_leads(
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
begin
  return (
    select count(*)
    from lead_mover.leads l
    where l.run_id = p_run_id
      and (p_column_id is null or funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)
  );
end
$$;

select lead_mover.make_private('lead_mover.count_leads');

comment on function lead_mover.count_leads is 'How many leads of a run are not at the target.';
