-- Moves the next batch of a lane: on the fast path (move_range); past locked leads (move_leads); or around
-- rejected leads (bisect_leads). An error is undone within this function and returned in p_sqlstate and
-- p_error, for the caller to record. p_sqlstate null: the batch succeeded.
--
-- p_lane comes back with next_id and skipped as they are after the batch.
create or replace function lead_mover.move_batch(
  p_move lead_mover.moves,
  inout p_lane lead_mover.lanes,
  p_limit integer,
  p_most_rejections bigint,
  out p_moved integer,
  out p_rejected integer,
  out p_unchanged integer,
  out p_sqlstate text,
  out p_error text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_most_skipped constant integer := 1000;
  v_revisit constant boolean := p_lane.next_id is null or cardinality(p_lane.skipped) >= c_most_skipped;
  v_page lead_mover.lanes.skipped%type;
  v_batch record;
begin
  p_moved := 0;
  p_rejected := 0;
  p_unchanged := 0;

  if not v_revisit then
    begin
      v_batch := lead_mover.move_range(p_move, p_lane.next_id, p_lane.last_id, p_limit);
      p_lane.next_id := v_batch.p_next_id;
      p_moved := v_batch.p_moved;
      return;
    exception
      when query_canceled or others then
        get stacked diagnostics
          p_sqlstate = returned_sqlstate,
          p_error = message_text;
    end;

    if p_sqlstate <> '55P03' and not lead_mover.is_rejection(p_sqlstate, p_move) then
      return;
    end if;
  end if;

  if v_revisit then
    -- Try the leads again that were locked before.
    v_page := p_lane.skipped[:p_limit];
    p_lane.skipped := p_lane.skipped[p_limit + 1:];
  else
    -- The next leads of the range, and one more, at which the batch after this one starts. For `between`, see
    -- move_range.
    v_page := array(
      select l.id
      from lead_mover.leads l
      where l.run_id = p_move.run_id
        and l.run_id between p_move.run_id and p_move.run_id
        and l.id >= p_lane.next_id
        and l.id <= p_lane.last_id
        and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)
      order by l.id
      limit p_limit + 1
    );
    p_lane.next_id := v_page[p_limit + 1];
    v_page := v_page[:p_limit];
  end if;

  begin
    p_sqlstate := null;
    p_error := null;
    v_batch := lead_mover.move_leads(p_move, v_page);
  exception
    when query_canceled or others then
      get stacked diagnostics
        p_sqlstate = returned_sqlstate,
        p_error = message_text;
  end;

  if lead_mover.is_rejection(p_sqlstate, p_move) then
    begin
      p_sqlstate := null;
      p_error := null;
      v_batch := lead_mover.bisect_leads(p_move, v_page, p_most_rejections);
      p_rejected := v_batch.p_rejected;
    exception
      when query_canceled or others then
        get stacked diagnostics
          p_sqlstate = returned_sqlstate,
          p_error = message_text;
    end;
  end if;

  if p_sqlstate is null then
    p_moved := v_batch.p_moved;
    p_unchanged := v_batch.p_unchanged;
    p_lane.skipped := p_lane.skipped || v_batch.p_skipped;
  end if;
end
$$;

select lead_mover.make_private('lead_mover.move_batch(lead_mover.moves, lead_mover.lanes, integer, bigint)');

comment on function lead_mover.move_batch(lead_mover.moves, lead_mover.lanes, integer, bigint) is 'Moves the next batch of a lane, past locked leads and around rejected ones.';
