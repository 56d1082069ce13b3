-- Treats a message that an application sent itself as if queue_lead_migration had queued it: it becomes
-- the first lane's message of a new move. One that cannot be understood or is refused is archived with
-- the reason. Answers with the reason, or null when the message was adopted.
--
-- Where somebody is queueing the same run in a transaction that is still open, it does not wait for the
-- end of that (other moves would wait with it) but leaves the message for a second later, and answers
-- with null as well.
create or replace function lead_mover.adopt_message(p_message_id bigint, p_message jsonb)
returns text
language plpgsql
volatile
set search_path = ''
set lock_timeout = '50ms'
as $$
declare
  v_migration lead_mover.migrations;
  v_sqlstate text;
  v_reason text;
begin
  begin
    if jsonb_typeof(p_message) is distinct from 'object' then
      raise exception using
        errcode = 'invalid_parameter_value',
        message = 'Mensagem ilegível: não é um objeto JSON';
    end if;

    v_migration := lead_mover.start_migration(
      (p_message ->> 'run_id')::uuid,
      (p_message ->> 'funnel_id')::uuid,
      (p_message ->> 'column_id')::uuid,
      (p_message ->> 'batch_size')::integer,
      p_message_id
    );

    if v_migration.message_id = p_message_id then
      return null;
    end if;

    v_sqlstate := '00000';
    v_reason := case
      when v_migration.migration_id is null then 'Nenhum lead a mover: todos já estão no destino'
      else format('Movimentação já enfileirada: migration_id %s', v_migration.migration_id)
    end;
  exception
    when others then
      get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        v_reason = message_text;

      if v_sqlstate = '55P03' then
        update pgmq.q_lead_migration_queue q
        set vt = clock_timestamp() + interval '1 second'
        where q.msg_id = p_message_id;
        return null;
      end if;

      if v_sqlstate not like 'LM%' and left(v_sqlstate, 2) <> '22' then
        raise;
      end if;
  end;

  update pgmq.q_lead_migration_queue q
  set message = case when jsonb_typeof(q.message) = 'object' then q.message else jsonb_build_object('message', q.message) end
    || jsonb_build_object('status', 'refused', 'sqlstate', v_sqlstate, 'error', v_reason)
  where q.msg_id = p_message_id;

  perform pgmq.archive('lead_migration_queue'::text, p_message_id::bigint);

  return v_reason;
end
$$;

select lead_mover.make_private('lead_mover.adopt_message(bigint, jsonb)');

comment on function lead_mover.adopt_message(bigint, jsonb) is 'Makes a move of a message that an application sent itself, or archives it with the reason.';
