-- Creates the queue, its archive and its trigger where they are missing: dropped, or left out of a dump. `migrate`
-- does it, too.
-- The catalogs are read, because a look-up by name may be answered from the session's memory of an earlier one.
create or replace function lead_mover.ensure_queue()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_tables integer;
  v_triggers integer;
begin
  select count(*), count(*) filter (
    where exists (
      select
      from pg_trigger t
      join pg_proc f on f.oid = t.tgfoid
      where t.tgrelid = c.oid
        and f.pronamespace = 'lead_mover'::regnamespace
        and f.proname = 'notify_queued'
    )
  )
  into v_tables, v_triggers
  from pg_class c
  where c.relnamespace = (select n.oid from pg_namespace n where n.nspname = 'pgmq')
    and c.relname in ('q_lead_migration_queue', 'a_lead_migration_queue');

  if v_tables = 2 and v_triggers > 0 then
    return false;
  end if;

  if v_tables < 2 then
    -- As an application would: some releases of PGMQ name their objects without a schema.
    perform set_config('search_path', 'public', true);
    perform pgmq.create('lead_migration_queue'::text);
  end if;

  create or replace trigger lead_migration_queued
  after insert on pgmq.q_lead_migration_queue
  for each statement
  execute function lead_mover.notify_queued();

  raise log 'lead mover: the queue or its trigger was missing and has been created again';
  return true;
end
$$;

select lead_mover.make_private('lead_mover.ensure_queue()');

comment on function lead_mover.ensure_queue() is 'Creates the queue and its trigger where they are missing; returns whether they were.';
