-- Rejects the lead that a lane would try again next.
create or replace function lead_mover.reject_skipped_lead(
  p_work lead_mover.work,
  p_sqlstate text,
  p_error text,
  out p_outcome text,
  out p_message text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_result lead_mover.batch_result;
  v_recorded record;
begin
  select array[s.position], array[s.lead_id]
  into v_result.revisited, v_result.rejected
  from lead_mover.skipped_leads s
  where s.migration_id = (p_work.lane).migration_id
    and s.lane = (p_work.lane).lane
  order by s.position
  limit 1;

  v_result.waiting := '{}';
  v_result.moved := 0;
  v_result.unchanged := 0;
  v_result.sqlstates := array[p_sqlstate];
  v_result.errors := array[p_error];

  v_recorded := lead_mover.record_batch(p_work, v_result, false, false);
  p_outcome := v_recorded.p_outcome;
  p_message := v_recorded.p_message;
end
$$;

select lead_mover.make_private('lead_mover.reject_skipped_lead(lead_mover.work, text, text)');

comment on function lead_mover.reject_skipped_lead(lead_mover.work, text, text) is 'Rejects the lead that a lane would try again next.';
