-- Wakes the service at commit. No payload: waking says "look", the queue says what. Putting a message
-- back after a batch sends nothing, because every notifying commit takes one lock of the whole cluster.
create or replace function lead_mover.notify_queued()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('lead_migration_queue', '');
  return null;
end
$$;

select lead_mover.make_private('lead_mover.notify_queued()');

comment on function lead_mover.notify_queued() is 'Trigger: notifies lead_migration_queue at commit when messages were queued.';
