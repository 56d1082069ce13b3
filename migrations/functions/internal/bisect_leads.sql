-- Moves the given leads, which the caller has locked, after an update of all of them failed. It halves them until
-- each lead that fails is alone, and moves the rest.
--
-- A lead that fails alone is rejected if the SQLSTATE says so (see error_kind). With p_all_errors it is also rejected
-- with any other SQLSTATE if its neighbours go through, or if some of the move did before (p_others_moved). Else the
-- error is raised: it is no lead's fault.
--
-- p_most_rejections: after that many it stops. p_untried: the leads that it did not get to.
create or replace function lead_mover.bisect_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray,
  p_constraints text,
  p_all_errors boolean,
  p_others_moved boolean,
  p_most_rejections bigint,
  out p_moved integer,
  out p_gone integer,
  out p_rejected anyarray,
  out p_sqlstates text[],
  out p_errors text[],
  out p_untried anyarray
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_tried timestamptz;
  v_middle integer := cardinality(p_ids) / 2;
  -- Ranges of positions in p_ids that are still to be moved. Moving all together failed, so it starts with the
  -- two halves. The first half of a single lead is empty.
  v_todo int4range[] := array[int4range(1, v_middle + 1), int4range(v_middle + 1, cardinality(p_ids) + 1)];
  v_from integer;
  v_to integer;
  v_batch record;
  v_sqlstate text;
  v_error text;
  v_context text;
begin
  p_moved := 0;
  p_gone := 0;
  p_rejected := '{}';
  p_sqlstates := '{}';
  p_errors := '{}';

  while cardinality(v_todo) > 0 and cardinality(p_rejected) < p_most_rejections loop
    v_from := lower(v_todo[1]);
    v_to := upper(v_todo[1]) - 1;
    v_todo := v_todo[2:];
    continue when v_from is null;

    v_tried := clock_timestamp();

    begin
      v_batch := lead_mover.move_leads(p_run_id, p_funnel_id, p_column_id, p_ids[v_from:v_to], p_constraints);

      p_moved := p_moved + v_batch.p_moved;
      p_gone := p_gone + v_batch.p_gone;
      p_rejected := p_rejected || v_batch.p_rejected;
      p_sqlstates := p_sqlstates || v_batch.p_sqlstates;
      p_errors := p_errors || v_batch.p_errors;
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          v_sqlstate = returned_sqlstate,
          v_error = message_text,
          v_context = pg_exception_context;

        if lead_mover.has_timed_out(v_sqlstate, v_tried)
          or lead_mover.is_cancelled(v_sqlstate, v_error, v_context)
          or not p_all_errors and lead_mover.error_kind(v_sqlstate) <> 'lead'
        then
          raise;
        end if;

        if v_from = v_to then
          p_rejected := p_rejected || p_ids[v_from:v_from];
          p_sqlstates := p_sqlstates || v_sqlstate;
          p_errors := p_errors || v_error;
        else
          v_middle := (v_from + v_to) / 2;
          v_todo := array[int4range(v_from, v_middle, '[]'), int4range(v_middle + 1, v_to, '[]')] || v_todo;
        end if;
    end;
  end loop;

  p_untried := array(
    select p_ids[i]
    from unnest(v_todo) as stretch (r)
    cross join lateral generate_series(lower(stretch.r), upper(stretch.r) - 1) as i
  );

  for i in 1 .. cardinality(p_rejected) loop
    if p_moved = 0
      and lead_mover.error_kind(p_sqlstates[i]) <> 'lead'
      and (not p_others_moved or lead_mover.error_kind(p_sqlstates[i]) <> 'unclear')
    then
      raise exception using errcode = p_sqlstates[i], message = p_errors[i];
    end if;
  end loop;
end
$$;

select lead_mover.make_private('lead_mover.bisect_leads');

comment on function lead_mover.bisect_leads is 'Moves locked leads by halves and returns those that are rejected.';
