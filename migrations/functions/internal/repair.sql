-- Brings queue and ledger together again, after others have purged, archived, edited, dropped or restored what is in
-- the queue. Returns how many messages it sent or made due:
--   an open lane of an active move whose message is not in the queue gets a new one
--   a message of an active move that is not due for longer than any delay that a batch sets is due at once: the
--   server's clock went back, or another consumer has read it. One that is never due (infinity) belongs to a paused
--   move
--   an active move whose lanes were deleted from the ledger fails
--   a message that an application sent, and that the clock which went back keeps from being due, is due at once
--
-- p_migration_id: only that move. It waits for nobody: a move that is being cancelled or paused, and a lane whose
-- row is locked, are left alone. The lane's message is looked for again when the lane's row is locked: no batch of a
-- lane runs without its message, and one that puts it back changes the lane's row.
create or replace function lead_mover.repair(p_migration_id bigint default null)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_migration_id bigint;
  v_has_lanes boolean;
  v_repaired integer := 0;
  v_sent integer;
  v_due integer := 0;
  v_released integer;
begin
  perform lead_mover.ensure_queue();

  for v_migration_id in
    select m.migration_id
    from lead_mover.active_moves() m
    where m.status in ('pending', 'processing')
      and (p_migration_id is null or m.migration_id = p_migration_id)
      -- An open lane has no message, or one that is never due; or there is no open lane.
      and coalesce(
        (
          select
            bool_or(
              not lead_mover.has_message(l)
              or exists (select from pgmq.q_lead_migration_queue q where q.msg_id = l.message_id and q.vt = 'infinity')
            )
          from lead_mover.lanes l
          where l.migration_id = m.migration_id
            and l.finished_at is null
        ),
        true
      )
    order by m.migration_id
  loop
    continue when not pg_try_advisory_xact_lock_shared(lead_mover.lock_key(v_migration_id));

    -- Everything is looked at again under the lock of the move.
    select exists (select from lead_mover.lanes l where l.migration_id = m.migration_id and l.finished_at is null)
    into v_has_lanes
    from lead_mover.moves m
    where m.migration_id = v_migration_id
      and m.status in ('pending', 'processing');

    continue when not found;

    if not v_has_lanes then
      -- They were deleted: nothing is left to go on with.
      if lead_mover.fail_move(v_migration_id, 'As faixas da movimentação não estão mais no ledger') then
        raise log 'lead mover: the lanes of move % are gone from the ledger: it has failed', v_migration_id;
        v_repaired := v_repaired + 1;
      end if;

      continue;
    end if;

    update lead_mover.lanes l
    set message_id = null
    where l.migration_id = v_migration_id
      and l.lane in (
        select k.lane
        from lead_mover.lanes k
        where k.migration_id = v_migration_id
          and k.finished_at is null
          and not lead_mover.has_message(k)
        for update of k skip locked
      );

    get diagnostics v_sent = row_count;

    if v_sent > 0 then
      perform lead_mover.send_lanes(v_migration_id);
      raise log 'lead mover: % messages of move % were gone from the queue and have been sent again', v_sent, v_migration_id;
      v_repaired := v_repaired + v_sent;
    end if;

    -- The message of a move that is not paused.
    with held as (
      select q.msg_id
      from lead_mover.lanes l
      join pgmq.q_lead_migration_queue q on q.msg_id = l.message_id
      where l.migration_id = v_migration_id
        and l.finished_at is null
        and q.vt = 'infinity'
      for update of q skip locked
    )
    update pgmq.q_lead_migration_queue q
    set vt = 'epoch'
    from held
    where q.msg_id = held.msg_id;

    get diagnostics v_released = row_count;
    v_due := v_due + v_released;
  end loop;

  with late as (
    select q.msg_id
    from pgmq.q_lead_migration_queue q
    cross join lateral lead_mover.lane_of_message(q.msg_id, q.message) w
    where q.vt > v_now
      and q.vt < 'infinity'
      and case
        when w.message_id is null then q.enqueued_at > v_now + interval '1 minute'
        else q.vt > v_now + lead_mover.longest_delay(q.read_ct)
          and (p_migration_id is null or (w.move).migration_id = p_migration_id)
      end
    for update of q skip locked
  )
  update pgmq.q_lead_migration_queue q
  set vt = 'epoch'
  from late
  where q.msg_id = late.msg_id;

  get diagnostics v_released = row_count;
  v_due := v_due + v_released;

  if v_due > 0 then
    raise log 'lead mover: % messages were due too late and have been made due', v_due;
  end if;

  return v_repaired + v_due;
end
$$;

select lead_mover.make_private('lead_mover.repair(bigint)');

comment on function lead_mover.repair(bigint) is 'Sends the missing messages of active moves again, and makes those due that are due too late; returns how many.';
