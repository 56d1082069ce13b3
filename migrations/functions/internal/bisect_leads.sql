-- Moves the given leads after an update of all of them was rejected. It halves them until each rejected lead
-- is alone, lists those leads in the rejections and moves the rest. It raises errors that are no fault of a
-- lead (deadlock, timeout, disk full …).
--
-- p_most_rejections: after that many rejections it stops and does not move the rest.
create or replace function lead_mover.bisect_leads(
  p_move lead_mover.moves,
  p_ids anyarray,
  p_most_rejections bigint,
  out p_moved integer,
  out p_rejected integer,
  out p_unchanged integer,
  out p_skipped anyarray
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_middle integer := cardinality(p_ids) / 2;
  -- Ranges of positions in p_ids that are still to be moved. Moving all together was rejected, so it starts
  -- with the two halves. The first half of a single lead is empty.
  v_todo int4range[] := array[int4range(1, v_middle + 1), int4range(v_middle + 1, cardinality(p_ids) + 1)];
  v_from integer;
  v_to integer;
  v_batch record;
  v_sqlstate text;
  v_error text;
begin
  p_moved := 0;
  p_rejected := 0;
  p_unchanged := 0;
  p_skipped := '{}';

  while cardinality(v_todo) > 0 and p_rejected < p_most_rejections loop
    v_from := lower(v_todo[1]);
    v_to := upper(v_todo[1]) - 1;
    v_todo := v_todo[2:];
    continue when v_from is null;

    begin
      v_batch := lead_mover.move_leads(p_move, p_ids[v_from:v_to]);

      p_moved := p_moved + v_batch.p_moved;
      p_unchanged := p_unchanged + v_batch.p_unchanged;
      p_skipped := p_skipped || v_batch.p_skipped;
    exception
      when others then
        get stacked diagnostics
          v_sqlstate = returned_sqlstate,
          v_error = message_text;

        if not lead_mover.is_rejection(v_sqlstate, p_move) then
          raise;
        end if;

        if v_from = v_to then
          insert into lead_mover.rejections (migration_id, lead_id, sqlstate, error)
          values (p_move.migration_id, p_ids[v_from]::text, v_sqlstate, v_error)
          on conflict (migration_id, lead_id) do nothing;
          p_rejected := p_rejected + 1;
        else
          v_middle := (v_from + v_to) / 2;
          v_todo := array[int4range(v_from, v_middle, '[]'), int4range(v_middle + 1, v_to, '[]')] || v_todo;
        end if;
    end;
  end loop;

  -- Leads that it did not get to stay in the lane, for a retry of the move.
  p_skipped := p_skipped || array(
    select p_ids[i]
    from unnest(v_todo) as stretch (r)
    cross join lateral generate_series(lower(stretch.r), upper(stretch.r) - 1) as i
  );
end
$$;

select lead_mover.make_private('lead_mover.bisect_leads(lead_mover.moves, anyarray, bigint)');

comment on function lead_mover.bisect_leads(lead_mover.moves, anyarray, bigint) is 'Moves the given leads by halves and lists the rejected ones.';
