-- The last trigger of lead_mover.requests, with the rights of the caller: among the leads that a request concerns there
-- may be none that the caller does not see. Leads that came between the two counts are counted again.
create or replace function lead_mover.check_leads_of_request()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id constant lead_mover.moves.run_id%type := new.run_id;
  v_funnel_id constant lead_mover.moves.funnel_id%type := new.funnel_id;
  v_column_id constant lead_mover.moves.column_id%type := new.column_id;
begin
  if new.total > new.leads_seen then
    if new.total > lead_mover.count_seen_leads(v_run_id, v_funnel_id, v_column_id) then
      perform lead_mover.raise_not_allowed(v_run_id);
    end if;
  end if;

  return new;
end
$$;

select lead_mover.make_private('lead_mover.check_leads_of_request()');

comment on function lead_mover.check_leads_of_request() is 'Trigger: raises 42501 if a move has leads that its caller does not see.';
