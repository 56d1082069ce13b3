-- The row trigger of the queue for messages that come in, with the rights of the sender. A sender who is not trusted is
-- held to the rule of queue_lead_migration, and the move starts in the sender's transaction.
create or replace function lead_mover.check_sender()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not has_schema_privilege('lead_mover', 'usage') then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('A role %I não pode enviar mensagens a lead_migration_queue', current_user),
      hint = format('O operador abre com: select lead_mover.open_to(%L);', current_user);
  end if;

  if lead_mover.is_trusted('queue') then
    return null;
  end if;

  if jsonb_typeof(new.message) is distinct from 'object' then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'Mensagem ilegível: não é um objeto JSON';
  end if;

  insert into lead_mover.requests (action, run_id, funnel_id, column_id, message_id)
  values ('queue', new.message ->> 'run_id', new.message ->> 'funnel_id', new.message ->> 'column_id', new.msg_id);

  return null;
end
$$;

select lead_mover.make_private('lead_mover.check_sender()');

comment on function lead_mover.check_sender() is 'Trigger: holds the sender of a message to the rule of queue_lead_migration.';
