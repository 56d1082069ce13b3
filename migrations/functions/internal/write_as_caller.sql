-- Writes one lead with the rights of the caller; without a target, where it stands.
create or replace function lead_mover.write_as_caller(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_id anyelement
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, public, extensions, pg_temp
as $$
-- @plpgsql_check_options: anyelementtype = lead_mover.lead_key
declare
  v_updated integer;
begin
  if p_column_id is null then
    update lead_mover.leads l
    set column_id = l.column_id
    where l.run_id = p_run_id
      and l.id = p_id;
  elsif lead_mover.has_funnels() then
    update lead_mover.leads l
    set
      funnel_id = p_funnel_id,
      column_id = p_column_id
    where l.run_id = p_run_id
      and l.id = p_id;
  else
    update lead_mover.leads l
    set column_id = p_column_id
    where l.run_id = p_run_id
      and l.id = p_id;
  end if;

  get diagnostics v_updated = row_count;
  return v_updated;
end
$$;

select lead_mover.make_private('lead_mover.write_as_caller');

comment on function lead_mover.write_as_caller is 'Writes one lead with the rights of the caller.';
