-- The ids of messages, not their progress, which each batch writes.
create or replace trigger lead_migration_kept
before update on pgmq.q_lead_migration_queue
for each row
when (
  (old.message -> 'run_id') is distinct from (new.message -> 'run_id')
  or (old.message -> 'funnel_id') is distinct from (new.message -> 'funnel_id')
  or (old.message -> 'column_id') is distinct from (new.message -> 'column_id')
)
execute function lead_mover.keep_message();
