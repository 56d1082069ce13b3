-- Whether the caller may move a lead of the run to the target, or, without a target, write it where it stands: it is
-- updated with the caller's rights, and that is undone. So the grants on columns, the policies and their checks all
-- speak. Leads that another transaction has locked are passed by where there are others.
--
-- An error of a trigger or a constraint comes after all but the policies' checks of the new row. With a target the next
-- lead is tried, and the caller gets the error of the last; without one, nothing in the row changes. As in move_leads,
-- triggers find tables in public.
create or replace function lead_mover.may_move_a_lead(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids lead_mover.batch_result.waiting%type;
  v_id lead_mover.lanes.last_id%type;
  v_updated integer;
begin
  begin
    v_ids := array(
      select l.id
      from lead_mover.leads l
      where l.run_id = p_run_id
      order by l.id
      limit 5
      for no key update skip locked
    );
    perform lead_mover.undo();
  exception
    when sqlstate 'LM999' then
      null;
    -- Views with an outer join cannot be locked.
    when feature_not_supported then
      null;
  end;

  if cardinality(v_ids) > 0 is not true then
    v_ids := array(
      select l.id
      from lead_mover.leads l
      where l.run_id = p_run_id
      order by l.id
      limit 1
    );
  end if;

  foreach v_id in array v_ids loop
    v_updated := null;

    begin
      v_updated := lead_mover.write_as_caller(p_run_id, p_funnel_id, p_column_id, v_id);
      perform lead_mover.undo();
    exception
      when sqlstate 'LM999' then
        -- A trigger may raise this SQLSTATE too: then nothing was updated.
        return v_updated is not distinct from 1;
      when insufficient_privilege then
        return false;
      when others then
        if p_column_id is null then
          return true;
        end if;

        if v_id = v_ids[cardinality(v_ids)] then
          raise;
        end if;
    end;
  end loop;

  -- The caller sees no lead of the run. Whether there are others is for check_leads_of_request to say.
  return true;
end
$$;

select lead_mover.make_private('lead_mover.may_move_a_lead');

comment on function lead_mover.may_move_a_lead is 'Whether the caller may write a lead of a run: tried and undone.';
