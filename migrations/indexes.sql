-- The ledger's indexes, where they were dropped; run each time. Without the first a run could have two active moves.
-- An index cannot be made concurrently in a transaction.
-- squawk-ignore require-concurrent-index-creation
create unique index if not exists moves_one_active_per_run on lead_mover.moves (run_id)
where status in ('pending', 'processing', 'paused');

-- squawk-ignore require-concurrent-index-creation
create index if not exists moves_run_id_idx on lead_mover.moves (run_id, migration_id);
-- squawk-ignore require-concurrent-index-creation
create index if not exists moves_retry_of_idx on lead_mover.moves (retry_of) where retry_of is not null;
