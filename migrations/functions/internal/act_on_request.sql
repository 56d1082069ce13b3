-- The second trigger of lead_mover.requests, with the rights of the owner: check_request has checked the row.
create or replace function lead_mover.act_on_request()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id constant lead_mover.moves.run_id%type := new.run_id;
  v_funnel_id constant lead_mover.moves.funnel_id%type := new.funnel_id;
  v_column_id constant lead_mover.moves.column_id%type := new.column_id;
begin
  if new.leads_seen is not null then
    new.total := lead_mover.count_leads(v_run_id, v_funnel_id, v_column_id);
  end if;

  if new.message_id is not null then
    perform lead_mover.adopt_sent_message(new.message_id, v_run_id);
    return new;
  end if;

  begin
    case new.action
      when 'queue' then
        new.result := lead_mover.queue_move(v_run_id, v_funnel_id, v_column_id, new.batch_size, new.requested_by);
      when 'cancel' then
        new.result := lead_mover.cancel_move(v_run_id, new.is_seen);
      when 'pause' then
        new.result := lead_mover.pause_move(v_run_id, new.is_seen);
      when 'resume' then
        new.result := lead_mover.resume_move(v_run_id, new.is_seen);
      else
        new.result := lead_mover.retry_move(v_run_id, new.is_seen, new.requested_by);
    end case;
  exception
    when serialization_failure then
      raise exception using
        errcode = 'serialization_failure',
        message = sqlerrm,
        hint = lead_mover.hint_to_repeat();
  end;

  return new;
end
$$;

select lead_mover.make_private('lead_mover.act_on_request()');

comment on function lead_mover.act_on_request() is 'Trigger: does what a row of lead_mover.requests asks for, with the rights of the owner.';
