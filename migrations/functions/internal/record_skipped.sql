-- Records which leads a batch has left for later: adds those that it passed by, and removes those of earlier batches
-- that are done. A page of which none is done goes behind the others. Returns how many the lane has now.
create or replace function lead_mover.record_skipped(
  p_lane lead_mover.lanes,
  p_result lead_mover.batch_result,
  p_done bigint
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed integer;
begin
  if p_result.revisited is null then
    insert into lead_mover.skipped_leads (migration_id, lane, lead_id)
    select p_lane.migration_id, p_lane.lane, w.id
    from unnest(p_result.waiting) with ordinality as w (id, n)
    order by w.n;

    get diagnostics v_changed = row_count;
    return p_lane.skipped_leads + v_changed;
  end if;

  if p_done = 0 then
    update lead_mover.skipped_leads s
    set position = default
    where s.migration_id = p_lane.migration_id
      and s.lane = p_lane.lane
      and s.position = any (p_result.revisited);

    return p_lane.skipped_leads;
  end if;

  delete from lead_mover.skipped_leads s
  where s.migration_id = p_lane.migration_id
    and s.lane = p_lane.lane
    and s.position = any (p_result.revisited)
    and s.lead_id <> all (p_result.waiting);

  get diagnostics v_changed = row_count;
  return p_lane.skipped_leads - v_changed;
end
$$;

select lead_mover.make_private('lead_mover.record_skipped(lead_mover.lanes, lead_mover.batch_result, bigint)');

comment on function lead_mover.record_skipped(lead_mover.lanes, lead_mover.batch_result, bigint) is 'Records which leads a batch has left for later; returns how many the lane has now.';
