-- Adopts a message in the transaction that sends it, for a sender who has been checked: by the time that a batch would
-- adopt it, the check might no longer hold.
create or replace function lead_mover.adopt_sent_message(p_message_id bigint, p_run_id lead_mover.moves.run_id%type)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_outcome text;
begin
  -- The message could belong to a lane, or be that of another sender.
  select a.p_outcome
  into v_outcome
  from pgmq.q_lead_migration_queue q
  cross join lateral lead_mover.adopt_message(q.msg_id, q.message) a
  where q.msg_id = p_message_id
    and lead_mover.run_of_message(q.message) = p_run_id
    and (lead_mover.lane_of_message(q.msg_id, q.message)).message_id is null;

  if v_outcome = 'failed' then
    raise exception using
      errcode = 'lock_not_available',
      message = format('A extração %s está sendo enfileirada por outra transação', p_run_id),
      hint = 'Repita a chamada.';
  end if;
end
$$;

select lead_mover.make_private('lead_mover.adopt_sent_message');

comment on function lead_mover.adopt_sent_message is 'Adopts a message in its sender''s transaction.';
