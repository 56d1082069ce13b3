-- Moves the given leads, which the caller has locked, and looks where they stand after all triggers and
-- constraints. It raises every error of a constraint, also a deferred one, and of a trigger.
--
-- p_constraints, for deferred constraints and deferred triggers:
--   immediate  they run now. For a transaction of the batch's own.
--   deferred   they run now to see their errors, and that is undone, so that they run at the caller's commit as
--              the caller has set them. For the transaction of a caller.
--   own        the same, with the constraints of the lead table alone. For the transaction of a caller whose other
--              constraints do not hold yet.
--   unchecked  they are left alone. For the transaction of a caller whose leads do not satisfy theirs yet.
--
-- Triggers of the lead table run with this function's search_path; every other setting is the session's. Many
-- triggers name their tables without a schema and find them in public (or in extensions, on Supabase) when an
-- application writes, so the path has both. The function itself names its objects with a schema, so that no
-- object in public takes their place.
--
-- A table with a rule for updates takes no update whose rows are asked for: run_batch then sets lead_mover.update to
-- plain. Such an update is planned under the session's settings.
--
-- p_gone: leads that a trigger deleted or took out of the run. p_rejected: leads that a trigger put elsewhere, or
-- kept the update from; p_sqlstates and p_errors say why.
create or replace function lead_mover.move_leads(
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type,
  p_ids anyarray,
  p_constraints text,
  out p_moved integer,
  out p_gone integer,
  out p_rejected anyarray,
  out p_sqlstates text[],
  out p_errors text[]
)
language plpgsql
volatile
set search_path = pg_catalog, public, extensions, pg_temp
as $$
-- @plpgsql_check_options: anyelementtype = lead_mover.lead_key
declare
  c_rollback constant text := 'rolls back to deferred constraints';
  v_is_plain constant boolean := coalesce(pg_catalog.current_setting('lead_mover.update', true), '') = 'plain';
  v_update refcursor;
  v_written p_ids%type;
  v_standing record;
begin
  if v_is_plain and lead_mover.has_funnels() then
    update lead_mover.leads l
    set
      funnel_id = p_funnel_id,
      column_id = p_column_id
    where l.run_id = p_run_id
      and l.run_id between p_run_id and p_run_id
      and l.id >= p_ids[1]
      and l.id <= p_ids[pg_catalog.cardinality(p_ids)]
      and (l.id in (select listed.id from pg_catalog.unnest(p_ids) as listed (id))) is true;
  elsif v_is_plain then
    update lead_mover.leads l
    set column_id = p_column_id
    where l.run_id = p_run_id
      and l.run_id between p_run_id and p_run_id
      and l.id >= p_ids[1]
      and l.id <= p_ids[pg_catalog.cardinality(p_ids)]
      and (l.id in (select listed.id from pg_catalog.unnest(p_ids) as listed (id))) is true;
  else
    select u.u
    into v_update
    from lead_mover.open_update(p_run_id, p_funnel_id, p_column_id, p_ids) as u (u);

    fetch v_update into v_written;
    close v_update;
  end if;

  if p_constraints in ('deferred', 'own') then
    begin
      if p_constraints = 'deferred' then
        set constraints all immediate;
      else
        execute lead_mover.own_constraints_immediate();
      end if;

      v_standing := lead_mover.standing_of_leads(p_run_id, p_funnel_id, p_column_id, p_ids);
      raise exception using errcode = 'LM0RB', message = c_rollback;
    exception
      when sqlstate 'LM0RB' then
        -- A trigger may raise this SQLSTATE too.
        if sqlerrm <> c_rollback then
          raise;
        end if;
    end;
  else
    if p_constraints = 'immediate' then
      set constraints all immediate;
    end if;

    v_standing := lead_mover.standing_of_leads(p_run_id, p_funnel_id, p_column_id, p_ids);
  end if;

  p_moved := v_standing.p_at_target;
  p_rejected := v_standing.p_elsewhere;
  p_gone := pg_catalog.cardinality(p_ids) - p_moved - pg_catalog.cardinality(p_rejected);
  p_sqlstates := '{}';
  p_errors := '{}';

  for i in 1 .. pg_catalog.cardinality(p_rejected) loop
    p_sqlstates[i] := '09000'; -- triggered_action_exception
    p_errors[i] := case
      when v_is_plain then 'kept from the target by a rule or a trigger'
      when p_rejected[i] operator(pg_catalog.=) any (v_written) then 'put elsewhere by a trigger'
      else 'a trigger on the lead table suppressed the update'
    end;
  end loop;
end
$$;

select lead_mover.make_private('lead_mover.move_leads');

comment on function lead_mover.move_leads is 'Moves locked leads, and looks where they stand afterwards.';
