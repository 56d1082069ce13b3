-- It fires once a statement, however many messages the statement inserts.
create or replace trigger lead_migration_queued
after insert on pgmq.q_lead_migration_queue
for each statement
execute function lead_mover.notify_queued();
