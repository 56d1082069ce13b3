-- What the model knows beside the mover's own tables: every write to a lead, and the leads that are blocked.
create schema model;

create table model.writes (
  seq bigserial primary key,
  lead_id uuid not null,
  run_id uuid not null,
  old_funnel_id uuid,
  old_column_id uuid,
  new_funnel_id uuid,
  new_column_id uuid,
  by_transaction text not null default pg_current_xact_id()::text,
  who text not null default current_setting('application_name')
);

create function model.note_write() returns trigger language plpgsql as $$
begin
  insert into model.writes (lead_id, run_id, old_funnel_id, old_column_id, new_funnel_id, new_column_id)
  values (new.id, new.run_id, old.funnel_id, old.column_id, new.funnel_id, new.column_id);
  return null;
end
$$;

create trigger note_write after update on public.leads
for each row execute function model.note_write();

create table model.blocked (
  lead_id uuid primary key,
  behaviour text not null,
  code text,
  funnel_id uuid,
  column_id uuid
);

-- Only the mover meets it: users may do with a lead what they like.
create function model.block() returns trigger language plpgsql as $$
declare
  v_blocked model.blocked;
begin
  if current_setting('application_name') not like 'worker%' or pg_trigger_depth() > 1 then
    return new;
  end if;
  select * into v_blocked from model.blocked b where b.lead_id = new.id;
  case v_blocked.behaviour
    when 'raises' then
      raise exception 'lead % is not to be moved', new.id using errcode = v_blocked.code;
    when 'swallows' then
      begin
        raise exception 'lead % is not to be moved', new.id using errcode = v_blocked.code;
      exception
        when query_canceled or assert_failure or others then
          null;
      end;
    when 'redirects' then
      new.funnel_id := v_blocked.funnel_id;
      new.column_id := v_blocked.column_id;
    when 'keeps' then
      new.funnel_id := old.funnel_id;
      new.column_id := old.column_id;
    when 'suppresses' then
      return null;
    when 'cancels' then
      perform public.cancel_lead_migration(new.run_id);
    when 'pauses' then
      perform public.pause_lead_migration(new.run_id);
    else
      null;
  end case;
  return new;
end
$$;

create trigger block before update on public.leads
for each row execute function model.block();

-- Its name is behind that of note_write, so that the writes are noted in their order.
create function model.redirect_afterwards() returns trigger language plpgsql as $$
begin
  if current_setting('application_name') like 'worker%' and pg_trigger_depth() = 1 then
    update public.leads l
    set funnel_id = b.funnel_id, column_id = b.column_id
    from model.blocked b
    where l.id = new.id and b.lead_id = new.id and b.behaviour = 'redirects afterwards';
  end if;
  return null;
end
$$;

create trigger redirect_afterwards after update on public.leads
for each row execute function model.redirect_afterwards();

-- Vacuum's cutting off of empty pages locks whole tables for a moment, which would look like a user's lock.
alter table public.leads set (vacuum_truncate = off);
alter table pgmq.q_lead_migration_queue set (vacuum_truncate = off);
alter table lead_mover.moves set (vacuum_truncate = off);
alter table lead_mover.lanes set (vacuum_truncate = off);
alter table lead_mover.rejections set (vacuum_truncate = off);
alter table lead_mover.skipped_leads set (vacuum_truncate = off);

-- The mover's numbers are made small, so that small runs have several lanes, full memories and too many
-- rejections.
create function model.make_small(p_function regproc, p_from text, p_to text) returns void language plpgsql as $$
declare
  v_definition text := pg_get_functiondef(p_function);
begin
  if strpos(v_definition, p_from) = 0 then
    raise exception '% no longer says "%"', p_function, p_from;
  end if;
  execute replace(v_definition, p_from, p_to);
end
$$;

select
  model.make_small('lead_mover.start_move', 'c_most_lanes constant integer := 16', 'c_most_lanes constant integer := 3'),
  model.make_small('lead_mover.start_move', 'c_least_lane constant integer := 1000', 'c_least_lane constant integer := 8'),
  model.make_small('lead_mover.move_batch', 'c_revisited constant integer := 1000', 'c_revisited constant integer := 3'),
  model.make_small('lead_mover.lock_delay', 'c_revisited constant integer := 1000', 'c_revisited constant integer := 3'),
  model.make_small('lead_mover.run_batch', 'c_most_rejections constant bigint := 1000', 'c_most_rejections constant bigint := 6'),
  model.make_small('lead_mover.record_failure', 'c_most_attempts constant integer := 10', 'c_most_attempts constant integer := 5');
