-- Adopts a message that an application sent itself, as if queue_lead_migration had queued it: the message
-- becomes that of the first lane of a new move. p_outcome is the result:
--   adopted           the message belongs to a move now
--   message_needless  its leads are at the target already, or its move is queued already; it is archived with p_reason
--   message_archived  it cannot be read, or start_move raises an error for it; it is archived with p_reason
--   failed            the adoption failed for a reason outside the message; the message is due again later
-- The lock_timeout is short, because an application may have queued the same run and not committed yet. A
-- worker that waited for it would delay all other moves.
create or replace function lead_mover.adopt_message(
  p_message_id bigint,
  p_message jsonb,
  out p_outcome text,
  out p_reason text
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '50ms'
as $$
declare
  c_longest_reason constant integer := 500;
  c_longest_name constant integer := 200;
  v_run_id lead_mover.moves.run_id%type;
  v_funnel_id lead_mover.moves.funnel_id%type;
  v_column_id lead_mover.moves.column_id%type;
  v_move lead_mover.moves;
  v_sqlstate text;
  v_key text;
  v_archived jsonb;
begin
  begin
    if jsonb_typeof(p_message) is distinct from 'object' then
      raise exception using
        errcode = 'invalid_parameter_value',
        message = 'Mensagem ilegível: não é um objeto JSON';
    end if;

    foreach v_key in array array['run_id', 'funnel_id', 'column_id', 'batch_size'] loop
      if jsonb_typeof(p_message -> v_key) in ('object', 'array') then
        raise exception using
          errcode = 'invalid_text_representation',
          message = format('Mensagem ilegível: %s não é um texto nem um número', v_key);
      end if;
    end loop;

    -- Text is converted to the type of each id as an input of that type, from a string or a number.
    v_run_id := p_message ->> 'run_id';
    v_funnel_id := p_message ->> 'funnel_id';
    v_column_id := p_message ->> 'column_id';
    v_move := lead_mover.start_move(
      v_run_id,
      v_funnel_id,
      v_column_id,
      (p_message ->> 'batch_size')::integer,
      left(p_message ->> 'requested_by', c_longest_name),
      p_message_id
    );

    -- The move may be an active one, to which this message belonged before its content was changed.
    if v_move.message_id = p_message_id and exists (
      select
      from lead_mover.lanes l
      where l.migration_id = v_move.migration_id
        and l.message_id = p_message_id
        and l.finished_at is null
        and lead_mover.has_message(l)
    ) then
      p_outcome := 'adopted';
      return;
    end if;

    v_sqlstate := '00000';
    p_reason := case
      when v_move.migration_id is null then 'Nenhum lead a mover: todos já estão no destino'
      else format('Movimentação já enfileirada: migration_id %s', v_move.migration_id)
    end;
  exception
    when query_canceled or assert_failure or others then
      get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        p_reason = message_text;

      if v_sqlstate not like 'LM%' and left(v_sqlstate, 2) <> '22' then
        p_outcome := 'failed';

        perform lead_mover.delay_message(p_message_id);
        return;
      end if;
  end;

  -- The error may quote the message, which may be a megabyte long.
  p_reason := left(p_reason, c_longest_reason);
  v_archived := jsonb_build_object('status', 'archived', 'sqlstate', v_sqlstate, 'error', p_reason);

  begin
    update pgmq.q_lead_migration_queue q
    set message = case when jsonb_typeof(q.message) = 'object' then q.message else jsonb_build_object('message', q.message) end || v_archived
    where q.msg_id = p_message_id;
  exception
    -- The message is nested too deep, or too large, to be written again. It must not stay at the head of the
    -- queue.
    when others then
      update pgmq.q_lead_migration_queue q
      set message = v_archived
      where q.msg_id = p_message_id;
  end;

  perform pgmq.archive('lead_migration_queue'::text, p_message_id::bigint);

  p_outcome := case when v_sqlstate = '00000' then 'message_needless' else 'message_archived' end;
end
$$;

select lead_mover.make_private('lead_mover.adopt_message(bigint, jsonb)');

comment on function lead_mover.adopt_message(bigint, jsonb) is 'Starts a move for a message that an application sent itself, archives it with the reason, or delays it.';
