-- Processes one batch of one message, for the service: in a transaction that has nothing else. It always returns one
-- row. outcome is one of
--   idle              nothing is due; next_due_seconds is the time until a message is (null: none will be)
--   moved             the batch succeeded (leads_moved is 0 if other transactions had all its leads locked)
--   failed            the batch, or the adoption of a message, was undone; its message is due again later
--   move_failed       the move has ended as failed
--   message_archived  a message that an application sent was archived
-- pickup_seconds is set by the first batch of a move: the time since the move was queued.
--
-- A batch that leaves work to its lane commits asynchronously, unless the session was opened with a
-- synchronous_commit of its own. pg_settings says so, but takes a millisecond: so it is read once in a session, and
-- kept in lead_mover.commit.
create or replace function lead_mover.process_batch(
  p_batch_size integer default null,
  out outcome text,
  out message_id bigint,
  out run_id lead_mover.moves.run_id%type,
  out run_name text,
  out leads_moved integer,
  out leads_rejected integer,
  out leads_remaining bigint,
  out message text,
  out pickup_seconds double precision,
  out next_due_seconds double precision
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  c_repair_interval constant integer := 30; -- seconds
  v_seconds constant bigint := extract(epoch from clock_timestamp())::bigint;
  v_batch record;
begin
  if coalesce(current_setting('lead_mover.commit', true), '') = '' then
    perform set_config(
      'lead_mover.commit',
      case when s.source in ('client', 'session') then 'synchronous' else 'asynchronous' end,
      false
    )
    from pg_settings s
    where s.name = 'synchronous_commit';
  end if;

  -- run_batch repairs when nothing is due, but a session that always has work would never get there.
  if abs(v_seconds - coalesce(nullif(current_setting('lead_mover.repaired_at', true), ''), '0')::bigint) > c_repair_interval then
    perform lead_mover.repair();
    perform set_config('lead_mover.repaired_at', v_seconds::text, false);
  end if;

  v_batch := lead_mover.run_batch(p_batch_size, true, current_setting('lead_mover.commit') = 'asynchronous');
  outcome := case v_batch.outcome when 'message_needless' then 'message_archived' else v_batch.outcome end;
  message_id := v_batch.message_id;
  run_id := v_batch.run_id;
  run_name := v_batch.run_name;
  leads_moved := v_batch.leads_moved;
  leads_rejected := v_batch.leads_rejected;
  leads_remaining := v_batch.leads_remaining;
  message := v_batch.message;
  pickup_seconds := v_batch.pickup_seconds;
  next_due_seconds := v_batch.next_due_seconds;
end
$$;

select lead_mover.make_private('lead_mover.process_batch');

comment on function lead_mover.process_batch is 'Processes one batch of one message and returns one row with its outcome and counts.';
