-- Processes one batch of one message; see process_batch for the row that it returns.
--
-- p_own_transaction: the transaction has nothing but this batch, so deferred constraints can run now. Else it is an
-- application's. p_asynchronous: a batch that leaves work to its lane may commit without waiting for the disk.
--
-- It has no planner setting of its own: the triggers of the lead table run under the session's. Whatever is raised
-- after the message is taken is undone and recorded. To find out whose fault it is, the batch is tried again at once:
-- past leads that are locked; with new plans, because a session keeps those of triggers from before a table was
-- altered; for a table with rules, by a plain update; then by halves, if the error may be that of one lead.
create or replace function lead_mover.run_batch(
  p_batch_size integer,
  p_own_transaction boolean,
  p_asynchronous boolean,
  out outcome text,
  out message_id bigint,
  out run_id lead_mover.moves.run_id%type,
  out run_name text,
  out leads_moved integer,
  out leads_rejected integer,
  out leads_remaining bigint,
  out message text,
  out pickup_seconds double precision,
  out next_due_seconds double precision
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  c_most_rejections constant bigint := 1000;
  -- The third failure in a row is looked for in the leads, whatever its SQLSTATE says.
  c_failures_before constant integer := 2;
  v_taken record;
  v_work lead_mover.work;
  v_limit integer;
  v_most_rejections bigint;
  v_constraints text := case when p_own_transaction then 'immediate' else 'deferred' end;
  v_impossible text;
  v_tried timestamptz;
  v_result lead_mover.batch_result;
  v_recorded record;
  v_bisect boolean := false;
  v_skip_locked boolean := false;
  v_has_new_plans boolean := false;
  v_is_plain boolean := coalesce(current_setting('lead_mover.update', true), '') = 'plain';
  v_sqlstate text;
  v_error text;
  v_context text;
begin
  if p_batch_size not between 1 and 10000 then
    raise exception using
      errcode = 'LM003',
      message = format('Tamanho de lote inválido: %s', p_batch_size),
      hint = 'Use um valor entre 1 e 10000, ou null para o tamanho com que a movimentação foi enfileirada.';
  end if;

  leads_moved := 0;
  leads_rejected := 0;
  leads_remaining := 0;
  outcome := 'idle';

  -- A trigger of the lead table has called this within a batch, whose message and leads it would take again.
  if current_setting('lead_mover.in_batch', true) = 'yes' then
    return;
  end if;

  if to_regclass('pgmq.q_lead_migration_queue') is null or to_regclass('pgmq.a_lead_migration_queue') is null then
    perform lead_mover.repair();
  end if;

  v_taken := lead_mover.take_message();
  v_work := v_taken.p_work;

  if v_work.message_id is null and lead_mover.repair() > 0 then
    v_taken := lead_mover.take_message();
    v_work := v_taken.p_work;
  end if;

  if v_work.message_id is null then
    next_due_seconds := lead_mover.next_due_seconds();
    return;
  end if;

  message_id := v_work.message_id;

  if v_taken.p_reason is not null then
    outcome := v_taken.p_outcome;
    message := lead_mover.printable(v_taken.p_reason);
    return;
  end if;

  run_id := (v_work.move).run_id;
  run_name := lead_mover.printable((v_work.move).run_name);
  leads_remaining := v_work.remaining;
  v_limit := least(p_batch_size, (v_work.lane).batch_size);
  v_most_rejections := c_most_rejections - v_work.rejected;

  -- Outside of what is recorded: where row level security would hide leads or columns, it raises an error. That is a
  -- matter of the installation, and no failure of a move.
  v_impossible := lead_mover.why_impossible(v_work);

  loop
    v_sqlstate := null;
    v_tried := clock_timestamp();

    begin
      if v_impossible is not null then
        select
          case when lead_mover.fail_move((v_work.move).migration_id, v_impossible) then 'move_failed' else 'failed' end as p_outcome,
          v_impossible as p_message
        into v_recorded;
      else
        perform set_config('lead_mover.in_batch', 'yes', true);
        v_result := lead_mover.move_batch(
          v_work, v_limit, v_skip_locked, v_constraints, v_bisect, (v_work.lane).attempts >= c_failures_before, v_most_rejections
        );
        perform set_config('lead_mover.in_batch', '', true);
        v_recorded := lead_mover.record_batch(
          v_work, v_result, cardinality(v_result.rejected) >= v_most_rejections, p_asynchronous
        );
        leads_moved := v_result.moved;
        leads_rejected := cardinality(v_result.rejected);
        leads_remaining := v_recorded.p_remaining;
        pickup_seconds := v_recorded.p_pickup_seconds;
      end if;
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          v_sqlstate = returned_sqlstate,
          v_error = message_text,
          v_context = pg_exception_context;

        if lead_mover.is_cancelled(v_sqlstate, v_error, v_context) then
          raise;
        end if;
    end;

    exit when v_sqlstate is null or lead_mover.has_timed_out(v_sqlstate, v_tried);

    if not v_skip_locked and v_sqlstate = '55P03' then
      v_skip_locked := true;
    elsif v_constraints = 'deferred' and not lead_mover.constraints_hold() then
      v_constraints := 'own';
    elsif v_constraints = 'own' and not lead_mover.own_constraints_hold() then
      v_constraints := 'unchecked';
    elsif not v_has_new_plans and left(v_sqlstate, 2) in ('0A', '26', '42', 'XX') then
      discard plans;
      v_has_new_plans := true;
    elsif v_sqlstate = '0A000' and not v_is_plain and lead_mover.has_update_rules() then
      v_is_plain := true;
      perform set_config('lead_mover.update', 'plain', false);
    elsif not v_bisect and (
      (v_work.lane).attempts >= c_failures_before
      or lead_mover.error_kind(v_sqlstate) = 'lead' and not lead_mover.is_of_the_target(v_work, v_sqlstate)
    ) then
      v_bisect := true;
    else
      exit;
    end if;
  end loop;

  if v_sqlstate is not null then
    begin
      v_recorded := lead_mover.record_failure(
        v_work, v_limit, v_sqlstate, v_error, lead_mover.has_timed_out(v_sqlstate, v_tried)
      );
    exception
      -- The ledger cannot be written. The message must not stay the first in the queue.
      when query_canceled or assert_failure or others then
        get stacked diagnostics v_context = pg_exception_context;

        if lead_mover.is_cancelled(sqlstate, sqlerrm, v_context) then
          raise;
        end if;

        perform lead_mover.delay_message(message_id);
        select 'failed' as p_outcome, concat_ws('; ', v_error, nullif(sqlerrm, v_error)) as p_message
        into v_recorded;
    end;
  end if;

  outcome := v_recorded.p_outcome;
  message := lead_mover.printable(v_recorded.p_message);
end
$$;

select lead_mover.make_private('lead_mover.run_batch');

comment on function lead_mover.run_batch is 'Processes one batch of one message and returns one row with its outcome and counts.';
