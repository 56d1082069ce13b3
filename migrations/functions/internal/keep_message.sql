-- The row trigger of the queue for messages whose ids are changed: only by who is trusted, since the sender was checked
-- for the ids that the message had.
create or replace function lead_mover.keep_message()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not has_schema_privilege('lead_mover', 'usage') or not lead_mover.is_trusted('queue') then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('A role %I não pode mudar mensagens de lead_migration_queue', current_user);
  end if;

  return new;
end
$$;

select lead_mover.make_private('lead_mover.keep_message()');

comment on function lead_mover.keep_message() is 'Trigger: keeps messages from being changed by senders.';
