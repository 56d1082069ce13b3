-- Records that a batch was undone, and why. Its message is due again after a delay that doubles with each
-- attempt, from 1 s to 5 min. After ten attempts in a row without progress the move fails. After a timeout the
-- next batch is half as large.
create or replace function lead_mover.record_failure(
  p_message_id bigint,
  p_migration_id bigint,
  p_lane integer,
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
  c_most_attempts constant integer := 10;
  v_attempts integer;
  v_delay interval;
begin
  if lead_mover.is_cancelled(p_sqlstate) then
    raise exception using errcode = p_sqlstate, message = p_error;
  end if;

  update lead_mover.lanes l
  set
    attempts = l.attempts + 1,
    last_error = p_error,
    batch_size = case when p_sqlstate in ('57014', '55P03') then greatest(l.batch_size / 2, 1) else l.batch_size end
  where l.migration_id = p_migration_id
    and l.lane = p_lane
  returning l.attempts
  into v_attempts;

  v_delay := least(interval '1 second' * 2 ^ (v_attempts - 1), interval '5 minutes');
  p_outcome := 'failed';
  p_message := format(
    'Falha no lote (tentativa %s de %s, nova tentativa em %s s): %s',
    v_attempts, c_most_attempts, extract(epoch from v_delay)::integer, p_error
  );

  if v_attempts >= c_most_attempts then
    p_message := format('Sem progresso após %s tentativas: %s', v_attempts, p_error);

    if lead_mover.fail_move(p_migration_id, p_message) then
      p_outcome := 'move_failed';
      return;
    end if;

    -- Batches of other lanes are running. The next batch ends the move, so it must not be delayed.
    v_delay := interval '0';
  end if;

  update pgmq.q_lead_migration_queue q
  set
    vt = clock_timestamp() + v_delay,
    read_ct = q.read_ct + 1
  where q.msg_id = p_message_id;
end
$$;

select lead_mover.make_private('lead_mover.record_failure(bigint, bigint, integer, text, text)');

comment on function lead_mover.record_failure(bigint, bigint, integer, text, text) is 'Records that a batch was undone, and when its message is due again.';
