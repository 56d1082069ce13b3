-- Wakes the service at commit. The notification has no payload: the service reads the queue. Putting a message
-- back after a batch sends no notification, because every commit that notifies takes one lock of the whole
-- cluster.
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
