-- The checks of lead_mover.doctor that concern PGMQ and the queue, one row a check. A check is skipped
-- where one that it depends on failed.
--
-- `lead-mover doctor` sends the text between the $$ as a query, so that it also runs where nothing is installed,
-- on a standby, and for a role without rights. So it reads catalogs only.
create or replace function lead_mover.check_queue()
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with queue_table as (
  select c.oid, c.relpersistence
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'pgmq'
    and c.relname = 'q_lead_migration_queue'
),
queue as (
  select
    exists (
      select
      from pg_catalog.pg_proc f
      join pg_catalog.pg_namespace n on n.oid = f.pronamespace
      where n.nspname = 'pgmq' and f.proname = 'archive'
    ) as has_pgmq,
    q.oid as table_id,
    q.relpersistence = 'u' as is_unlogged,
    exists (
      select
      from pg_catalog.pg_trigger t
      join pg_catalog.pg_proc f on f.oid = t.tgfoid
      where t.tgrelid = q.oid and f.proname = 'notify_queue_listeners'
    ) as notifies_by_row,
    e.extversion as version,
    case
      when e.extversion ~ '^[0-9]{1,9}([.][0-9]{1,9})*$' then pg_catalog.string_to_array(e.extversion, '.')::integer[]
    end as numbers
  from (values (1)) as one
  left join queue_table q on true
  left join pg_catalog.pg_extension e on e.extname = 'pgmq'
),
pgmq as (
  select
    'pgmq',
    case
      when not q.has_pgmq or q.table_id is null or q.is_unlogged then 'failure'
      when q.notifies_by_row or q.numbers < array[1, 4, 4] or q.numbers[1:2] > array[1, 13] then 'warning'
      else 'ok'
    end,
    case
      when not q.has_pgmq then 'PGMQ is not in this database'
      when q.table_id is null then n.name || ', without a queue lead_migration_queue'
      when q.is_unlogged then 'the queue''s table is unlogged: a crash of the server empties it'
      when q.notifies_by_row then
        'PGMQ''s own notifications are on: a transaction that queues a move waits for all others that do'
      when q.numbers < array[1, 4, 4] then n.name || ' is older than the versions that were tested (1.4.4 to 1.13)'
      when q.numbers[1:2] > array[1, 13] then n.name || ' is newer than the versions that were tested (1.4.4 to 1.13)'
      else n.name || ', queue lead_migration_queue'
    end,
    case
      when not q.has_pgmq or q.table_id is null then 'run: lead-mover migrate'
      when q.is_unlogged then 'run: alter table pgmq.q_lead_migration_queue set logged;'
      when q.notifies_by_row then 'run: select pgmq.disable_notify_insert(''lead_migration_queue'');'
      when q.numbers < array[1, 4, 4] then 'upgrade PGMQ (an extension: alter extension pgmq update;)'
      else 'move a run of a few leads first, or see whether there is a newer lead-mover'
    end
  from queue q
  cross join lateral (
    select coalesce('PGMQ ' || q.version || ' (extension)', 'PGMQ (installed from its own SQL)') as name
  ) n
),
trigger as (
  select
    'trigger',
    case
      when q.table_id is null or q.notify_function is null then 'skipped'
      when t.is_enabled then 'ok'
      else 'failure'
    end,
    case
      when q.table_id is null then 'skipped: check `pgmq` failed'
      when q.notify_function is null then 'skipped: check `schema` failed'
      when t.is_enabled then t.name || ' notifies when a move is queued'
      when t.name is null then 'the queue''s table has no trigger that notifies: moves wait for the next poll'
      else pg_catalog.format('the trigger %s is disabled: moves wait for the next poll', t.name)
    end,
    case
      when q.table_id is null or q.notify_function is null then 'fix it first'
      -- As in triggers/lead_migration_queued.sql.
      when t.name is null then
        'run: create trigger lead_migration_queued after insert on pgmq.q_lead_migration_queue '
          || 'for each statement execute function lead_mover.notify_queued();'
      else pg_catalog.format('run: alter table pgmq.q_lead_migration_queue enable trigger %s;', t.name)
    end
  from (
    select
      (select q.oid from queue_table q) as table_id,
      (
        select f.oid
        from pg_catalog.pg_proc f
        join pg_catalog.pg_namespace n on n.oid = f.pronamespace
        where n.nspname = 'lead_mover' and f.proname = 'notify_queued'
      ) as notify_function
  ) q
  left join lateral (
    select pg_catalog.quote_ident(t.tgname) as name, t.tgenabled in ('O', 'A') as is_enabled
    from pg_catalog.pg_trigger t
    where t.tgrelid = q.table_id
      and t.tgfoid = q.notify_function
      and t.tgqual is null
      and t.tgtype & 4 = 4 -- after or before an insert
    order by 2 desc
    limit 1
  ) t on true
),
checks (check_name, status, found, advice) as (
  select * from pgmq
  union all
  select * from trigger
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_queue()');

comment on function lead_mover.check_queue() is 'The checks of lead_mover.doctor that concern PGMQ and the queue.';
