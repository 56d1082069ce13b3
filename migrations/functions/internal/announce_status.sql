-- Notifies lead_migration_events at commit that the status of a move has changed, and announces it to Realtime. Batches
-- notify only when they begin or end a move, because every commit that notifies takes one lock of the whole cluster.
-- It runs with its owner's rights, so that it works for any role that may change the table.
--
-- A payload has at most 7999 bytes, and an id that is a text may be longer.
create or replace function lead_mover.announce_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  c_longest_run_id constant integer := 1000;
  v_event constant text := lead_mover.change_of_status(old.status, new.status);
begin
  perform pg_notify(
    'lead_migration_events',
    json_build_object(
      'migration_id', new.migration_id,
      'run_id', case when octet_length(new.run_id::text) <= c_longest_run_id then new.run_id end,
      'event', v_event,
      'status', new.status
    )::text
  );

  perform lead_mover.announce(new.migration_id, v_event);
  return null;
end
$$;

select lead_mover.make_private('lead_mover.announce_status()');

comment on function lead_mover.announce_status() is 'Trigger: notifies lead_migration_events, and announces to Realtime, that the status of a move has changed.';
