-- A move counts once, however many lanes it has, as when it had one message.
create or replace function public.get_lead_migration_queue_status()
returns table (queue_name text, total_messages bigint, oldest_message timestamptz, newest_message timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    'lead_migration_queue',
    count(distinct coalesce('m' || (q.message ->> 'migration_id'), q.msg_id::text)),
    min(q.enqueued_at),
    max(q.enqueued_at)
  from pgmq.q_lead_migration_queue q
$$;

select lead_mover.make_private('public.get_lead_migration_queue_status()');

comment on function public.get_lead_migration_queue_status() is 'The number of moves and of messages of no move in the queue, and when the oldest and the newest message were sent.';
