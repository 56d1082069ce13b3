-- Puts the next leads of a lane, as many as its batch had, behind the others of the lane, because their batch failed
-- again and again.
create or replace function lead_mover.put_behind(p_work lead_mover.work, p_size integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_move constant lead_mover.moves := p_work.move;
  v_lane constant lead_mover.lanes := p_work.lane;
  v_ids lead_mover.batch_result.waiting%type;
begin
  if v_lane.next_id is null then
    update lead_mover.skipped_leads s
    set position = default
    where s.migration_id = v_lane.migration_id
      and s.lane = v_lane.lane
      and s.position in (
        select k.position
        from lead_mover.skipped_leads k
        where k.migration_id = v_lane.migration_id
          and k.lane = v_lane.lane
        order by k.position
        limit p_size
      );

    return;
  end if;

  v_ids := lead_mover.next_leads(
    v_move.run_id, v_move.funnel_id, v_move.column_id, v_lane.next_id, v_lane.last_id, p_size + 1
  );

  insert into lead_mover.skipped_leads (migration_id, lane, lead_id)
  select v_lane.migration_id, v_lane.lane, k.id
  from unnest(v_ids[:p_size]) with ordinality as k (id, n)
  order by k.n;

  update lead_mover.lanes l
  set
    next_id = v_ids[p_size + 1],
    skipped_leads = l.skipped_leads + cardinality(v_ids[:p_size])
  where l.migration_id = v_lane.migration_id
    and l.lane = v_lane.lane;
end
$$;

select lead_mover.make_private('lead_mover.put_behind(lead_mover.work, integer)');

comment on function lead_mover.put_behind(lead_mover.work, integer) is 'Puts the next leads of a lane behind the others.';
