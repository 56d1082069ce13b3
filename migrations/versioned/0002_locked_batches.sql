-- Batches lock their leads first. A lane keeps the leads that it comes back to in a table of their own, what it
-- learned from batches that were undone, and since when it waits.

-- Functions with other parameters or results now, and those that are gone.
drop function if exists lead_mover.take_message();
drop function if exists lead_mover.lane_of_message(bigint, jsonb);
drop function if exists lead_mover.move_batch(lead_mover.moves, lead_mover.lanes, integer, bigint);
drop function if exists lead_mover.move_range(lead_mover.moves, anyelement, anyelement, integer);
drop function if exists lead_mover.move_leads(lead_mover.moves, anyarray);
drop function if exists lead_mover.bisect_leads(lead_mover.moves, anyarray, bigint);
drop function if exists lead_mover.is_rejection(text, lead_mover.moves);
drop function if exists lead_mover.is_cancelled(text);
drop function if exists lead_mover.record_batch(
  bigint, lead_mover.moves, lead_mover.lanes, lead_mover.progress, integer, integer, integer, boolean
);
drop function if exists lead_mover.record_failure(bigint, bigint, integer, text, text);

-- The role that may process batches may also call what the service needs beside. These two get their text from their
-- files; a function with a comment keeps its grants.
do $$
declare
  v_role text;
begin
  if not exists (
    select
    from pg_proc p
    where p.pronamespace = 'lead_mover'::regnamespace
      and p.proname = 'process_batch'
  ) then
    return;
  end if;

  create function lead_mover.next_message_id() returns bigint language sql as 'select null::bigint';
  create function lead_mover.record_lost_batch(p_message_id bigint, p_sqlstate text, p_error text)
  returns boolean language sql as 'select false';
  revoke all on function lead_mover.next_message_id(), lead_mover.record_lost_batch(bigint, text, text) from public;
  comment on function lead_mover.next_message_id() is 'As process_batch.';
  comment on function lead_mover.record_lost_batch(bigint, text, text) is 'As process_batch.';

  for v_role in
    select r.rolname
    from pg_proc p
    cross join lateral aclexplode(p.proacl) a
    join pg_roles r on r.oid = a.grantee
    where p.pronamespace = 'lead_mover'::regnamespace
      and p.proname = 'process_batch'
      and a.grantee <> p.proowner
  loop
    execute format(
      'grant execute on function lead_mover.next_message_id(), lead_mover.record_lost_batch(bigint, text, text) to %I',
      v_role
    );
  end loop;
end
$$;

delete from lead_mover.schema_files f
where f.path in ('functions/internal/move_range.sql', 'functions/internal/is_rejection.sql');

alter table lead_mover.moves
add column key_lock boolean not null default false;

comment on column lead_mover.moves.key_lock is 'Whether the update needs the strong lock of a lead, because it changes a column of a unique index or of the partition key.';

alter table lead_mover.lanes
add column skipped_leads integer not null default 0,
add column timed_out_size integer,
add column timed_out_at timestamptz,
add column waits integer not null default 0,
add column waiting_since timestamptz;

comment on column lead_mover.lanes.skipped_leads is 'The number of its rows in skipped_leads.';
comment on column lead_mover.lanes.timed_out_size is 'The size of the last batch that timed out, in leads. Batches stay below it for some minutes.';
comment on column lead_mover.lanes.waits is 'Those of its attempts in which another transaction was in the way.';
comment on column lead_mover.lanes.waiting_since is 'Since when the lane has only waited for other transactions; null after a batch with progress.';

-- Both get the type of next_id; keys.sql changes the types of all together.
do $$
declare
  v_key_type text;
  v_collation text;
begin
  select
    format_type(a.atttypid, a.atttypmod),
    case when a.attcollation <> 0 then ' collate ' || a.attcollation::regcollation else '' end
  into v_key_type, v_collation
  from pg_attribute a
  where a.attrelid = 'lead_mover.lanes'::regclass
    and a.attname = 'next_id';

  execute format(
    $create$
    create table lead_mover.skipped_leads (
      migration_id bigint not null,
      lane integer not null,
      position bigint generated always as identity,
      lead_id %1$s %2$s not null,
      primary key (migration_id, lane, position),
      foreign key (migration_id, lane) references lead_mover.lanes (migration_id, lane) on delete cascade
    );

    insert into lead_mover.skipped_leads (migration_id, lane, lead_id)
    select l.migration_id, l.lane, s.id
    from lead_mover.lanes l
    cross join lateral unnest(l.skipped) with ordinality as s (id, n)
    where l.finished_at is null
    order by l.migration_id, l.lane, s.n;

    create type lead_mover.batch_result as (
      next_id %1$s,
      revisited bigint[],
      waiting %1$s[],
      moved integer,
      unchanged integer,
      rejected %1$s[],
      sqlstates text[],
      errors text[]
    );
    $create$,
    v_key_type, v_collation
  );
end
$$;

update lead_mover.lanes l
set skipped_leads = cardinality(l.skipped)
where l.finished_at is null
  and l.skipped <> '{}';

-- The functions that read it are replaced in the same transaction.
alter table lead_mover.lanes
-- squawk-ignore ban-drop-column
drop column skipped;

comment on table lead_mover.skipped_leads is 'One row a lead that a batch passed by, because another transaction had locked it, or because its batch failed again and again. A later batch moves it.';
comment on column lead_mover.skipped_leads.position is 'The order in which they are tried again.';

create type lead_mover.work as (
  message_id bigint,
  lane lead_mover.lanes,
  move lead_mover.moves,
  total bigint,
  moved bigint,
  rejected bigint,
  unchanged bigint,
  remaining bigint
);

comment on type lead_mover.work is 'The message that a batch has taken, its lane, its move, and the counts of the move before the batch, in leads.';
comment on type lead_mover.batch_result is 'What a batch did. revisited: the rows of skipped_leads that it tried; null for a batch of the range. waiting: leads to come back to. rejected, sqlstates and errors have the same length.';
