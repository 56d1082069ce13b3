-- The ledger: the moves, their progress and the rejected leads. The messages in the queue only decide which
-- lane has the next batch. These tables hold everything that the batch needs.

-- The functions of the system before this one have the same names. Some have other result columns, which
-- `create or replace` cannot change.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and p.proname in (
        'queue_lead_migration', 'process_lead_migration_batch', 'get_lead_migration_queue_status',
        'cancel_lead_migration', 'get_lead_migration_progress', 'get_lead_migration_rejections',
        'pause_lead_migration', 'resume_lead_migration', 'retry_lead_migration'
      )
  loop
    execute format('drop function %s', v_function);
  end loop;
end
$$;

create table lead_mover.moves (
  migration_id bigint generated always as identity primary key,
  run_id uuid not null,
  run_name text,
  funnel_id uuid not null,
  column_id uuid not null,
  batch_size integer not null check (batch_size between 1 and 10000),
  status text not null default 'pending' check (
    status in ('pending', 'processing', 'paused', 'completed', 'completed_with_errors', 'cancelled', 'failed')
  ),
  message_id bigint,
  open_lanes integer not null check (open_lanes >= 0),
  retry_of bigint references lead_mover.moves (migration_id) on delete set null,
  queued_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  failure text,
  check ((finished_at is null) = (status in ('pending', 'processing', 'paused')))
);

comment on table lead_mover.moves is 'One row a move of a run to a funnel and column.';
comment on column lead_mover.moves.message_id is 'The message_id that queueing the move returned. The lanes'' current messages are in lanes.';
comment on column lead_mover.moves.open_lanes is 'The number of lanes that have leads left. The batch that sets it to 0 ends the move.';
comment on column lead_mover.moves.failure is 'Why the move failed, or why the next batch ends it as failed.';

create unique index moves_one_active_per_run on lead_mover.moves (run_id)
where status in ('pending', 'processing', 'paused');
create index moves_run_id_idx on lead_mover.moves (run_id, migration_id);
create index moves_status_idx on lead_mover.moves (status);
create index moves_retry_of_idx on lead_mover.moves (retry_of) where retry_of is not null;

-- The columns for keys of leads have the type and the collation of the lead table's key.
do $$
declare
  v_key_type text;
begin
  select
    format_type(a.atttypid, a.atttypmod)
      || case when a.attcollation = 0 then '' else ' collate ' || a.attcollation::regcollation end
  into v_key_type
  from pg_attribute a
  where a.attrelid = 'lead_mover.leads'::regclass
    and a.attname = 'id';

  execute format(
    $create$
    create table lead_mover.lanes (
      migration_id bigint not null references lead_mover.moves (migration_id) on delete cascade,
      lane integer not null check (lane >= 1),
      message_id bigint,
      next_id %1$s,
      last_id %1$s,
      skipped %2$s[] not null default '{}',
      batch_size integer not null check (batch_size between 1 and 10000),
      total bigint not null,
      moved bigint not null default 0,
      rejected bigint not null default 0,
      unchanged bigint not null default 0,
      attempts integer not null default 0,
      lock_waits integer not null default 0,
      last_error text,
      last_batch_at timestamptz,
      finished_at timestamptz,
      primary key (migration_id, lane)
    ) with (fillfactor = 50)
    $create$,
    v_key_type,
    regexp_replace(v_key_type, ' collate .*$', '')
  );
end
$$;

comment on table lead_mover.lanes is 'One row a key range of a move. Each lane has its own message, so that several connections share a large run.';
comment on column lead_mover.lanes.message_id is 'Its message in the queue; null once the lane has none.';
comment on column lead_mover.lanes.next_id is 'The first key that no batch has read; null when the range is done.';
comment on column lead_mover.lanes.last_id is 'The last key of the range.';
comment on column lead_mover.lanes.skipped is 'Keys of leads that another transaction had locked. A later batch moves them.';
comment on column lead_mover.lanes.batch_size is 'The size of the next batch, in leads: smaller than the move''s after a timeout.';
comment on column lead_mover.lanes.total is 'Leads counted when the move was queued, and leads added since that were moved with them.';
comment on column lead_mover.lanes.unchanged is 'Leads that needed no move when their batch came: deleted, out of the run, or at the target already.';
comment on column lead_mover.lanes.attempts is 'Failed batches in a row, since the last batch with progress.';
comment on column lead_mover.lanes.lock_waits is 'Batches in a row that found only locked leads.';

create table lead_mover.rejections (
  migration_id bigint not null references lead_mover.moves (migration_id) on delete cascade,
  lead_id text not null,
  sqlstate text not null,
  error text not null,
  rejected_at timestamptz not null default clock_timestamp(),
  primary key (migration_id, lead_id)
);

comment on table lead_mover.rejections is 'One row a rejected lead: a constraint or a trigger did not let it be moved.';
