-- The ledger's indexes, where they were dropped; run each time. Without the first a run could have two active moves.
create unique index if not exists moves_one_active_per_run on lead_mover.moves (run_id)
where status in ('pending', 'processing', 'paused');

create index if not exists moves_run_id_idx on lead_mover.moves (run_id, migration_id);
create index if not exists moves_retry_of_idx on lead_mover.moves (retry_of) where retry_of is not null;
