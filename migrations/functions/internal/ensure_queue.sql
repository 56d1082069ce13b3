-- Creates the queue, its archive and its triggers where they are missing: dropped, or left out of a dump. `migrate`
-- does it, too.
-- The catalogs are read, because a look-up by name may be answered from the session's memory of an earlier one.
create or replace function lead_mover.ensure_queue()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_functions constant text[] := array['check_sender', 'keep_message', 'name_sender', 'notify_queued'];
  v_tables integer;
  v_triggers integer;
begin
  select count(*)
  into v_tables
  from pg_class c
  where c.relnamespace = (select n.oid from pg_namespace n where n.nspname = 'pgmq')
    and c.relname in ('q_lead_migration_queue', 'a_lead_migration_queue');

  select count(distinct f.proname)
  into v_triggers
  from pg_class c
  join pg_trigger t on t.tgrelid = c.oid
  join pg_proc f on f.oid = t.tgfoid
  where c.relnamespace = (select n.oid from pg_namespace n where n.nspname = 'pgmq')
    and c.relname = 'q_lead_migration_queue'
    and f.pronamespace = 'lead_mover'::regnamespace
    and f.proname = any (c_functions);

  if v_tables = 2 and v_triggers = cardinality(c_functions) then
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

  create or replace trigger lead_migration_named
  before insert on pgmq.q_lead_migration_queue
  for each row
  when (jsonb_typeof(new.message) = 'object' and not new.message ? 'lane')
  execute function lead_mover.name_sender();

  create or replace trigger lead_migration_sent
  after insert on pgmq.q_lead_migration_queue
  for each row
  execute function lead_mover.check_sender();

  create or replace trigger lead_migration_kept
  before update on pgmq.q_lead_migration_queue
  for each row
  when (
    (old.message -> 'run_id') is distinct from (new.message -> 'run_id')
    or (old.message -> 'funnel_id') is distinct from (new.message -> 'funnel_id')
    or (old.message -> 'column_id') is distinct from (new.message -> 'column_id')
  )
  execute function lead_mover.keep_message();

  raise log 'lead mover: the queue or a trigger of it was missing and has been created again';
  return true;
end
$$;

select lead_mover.make_private('lead_mover.ensure_queue()');

comment on function lead_mover.ensure_queue() is 'Creates the queue and its triggers where they are missing; returns whether they were.';
