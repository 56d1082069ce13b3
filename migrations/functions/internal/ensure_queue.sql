-- Creates the queue, its archive and its trigger where they are missing: dropped, or left out of a dump. `migrate` does it, too.
-- The catalogs are read, because a look-up by name may be answered from the session's memory of an earlier one.
create or replace function lead_mover.ensure_queue()
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table oid;
  v_archive oid;
begin
  select c.oid
  into v_table
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'pgmq'
    and c.relname = 'q_lead_migration_queue';

  select c.oid
  into v_archive
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'pgmq'
    and c.relname = 'a_lead_migration_queue';

  if v_archive is not null and exists (
    select
    from pg_trigger t
    join pg_proc f on f.oid = t.tgfoid
    join pg_namespace n on n.oid = f.pronamespace
    where t.tgrelid = v_table
      and n.nspname = 'lead_mover'
      and f.proname = 'notify_queued'
  ) then
    return false;
  end if;

  if v_table is null or v_archive is null then
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
