-- Sends a message about a move to Realtime, where that is there and announcements are on: the row of
-- get_lead_migration_progress, on the private topic 'lead_migration:' || run_id. Realtime delivers it after the commit.
--
-- p_event is progress, or one of change_of_status. Progress is sent at most once a second and move. The row of the
-- move says when it was, and a batch that finds that row locked by a batch of another lane sends nothing, so that no
-- batch waits.
--
-- Whatever Realtime raises is logged, and is no failure of the batch. The lock_timeout is short for the same
-- reason. No trigger of the lead table runs here.
create or replace function lead_mover.announce(p_migration_id bigint, p_event text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
  c_interval constant interval := interval '1 second';
  v_now constant timestamptz := clock_timestamp();
  v_run_id lead_mover.moves.run_id%type;
  v_payload jsonb;
  v_context text;
begin
  if not exists (select from lead_mover.announcements a where a.is_on) then
    return;
  end if;

  begin
    if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
      return;
    end if;

    if p_event in ('progress', 'started', 'resumed') then
      update lead_mover.moves m
      set announced_at = v_now
      where m.migration_id in (
        select k.migration_id
        from lead_mover.moves k
        where k.migration_id = p_migration_id
          -- A time to come is from before the server's clock went back.
          and (p_event <> 'progress' or coalesce(k.announced_at not between v_now - c_interval and v_now, true))
        for no key update skip locked
      );

      if p_event = 'progress' and not found then
        return;
      end if;
    end if;

    select m.run_id
    into v_run_id
    from lead_mover.moves m
    where m.migration_id = p_migration_id;

    select to_jsonb(p)
    into v_payload
    from public.get_lead_migration_progress(v_run_id) p
    where p.migration_id = p_migration_id;

    -- Linters look for the function of a text that is written out, and it may not be there.
    execute format('select %I.send($1, $2, $3, true)', 'realtime')
    using v_payload, p_event, 'lead_migration:' || v_run_id::text;
  exception
    when query_canceled or assert_failure or others then
      get stacked diagnostics v_context = pg_exception_context;

      if lead_mover.is_cancelled(sqlstate, sqlerrm, v_context) then
        raise;
      end if;

      raise log 'lead mover: no message about move % was sent to Realtime: % (%)', p_migration_id, sqlerrm, sqlstate;
  end;
end
$$;

select lead_mover.make_private('lead_mover.announce(bigint, text)');

comment on function lead_mover.announce(bigint, text) is 'Sends a message about a move to Realtime, if announcements are on.';
