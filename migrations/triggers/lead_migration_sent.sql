create or replace trigger lead_migration_sent
after insert on pgmq.q_lead_migration_queue
for each row
execute function lead_mover.check_sender();
