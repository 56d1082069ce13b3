create or replace trigger lead_migration_named
before insert on pgmq.q_lead_migration_queue
for each row
when (jsonb_typeof(new.message) = 'object' and not new.message ? 'lane')
execute function lead_mover.name_sender();
