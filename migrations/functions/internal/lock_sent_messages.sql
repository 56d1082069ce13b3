-- The messages for a run that an application sent itself and that no batch has adopted yet, locked. One that
-- a batch is just adopting is waited for, and is a move of ours after that. Messages of ours are left to
-- whoever holds the move's lock: taken here, without it, they would be what a batch that ends the move
-- waits for.
create or replace function lead_mover.lock_sent_messages(p_run_id uuid)
returns bigint[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sent record;
  v_message_ids bigint[] := '{}'::bigint[];
begin
  for v_sent in
    select q.msg_id, q.message
    from pgmq.q_lead_migration_queue q
    -- In whatever notation a uuid may be written: upper case, in braces, with hyphens or without.
    where replace(p_run_id::text, '-', '') = case
        when jsonb_typeof(q.message -> 'run_id') = 'string' then lower(translate(q.message ->> 'run_id', '{-}', ''))
      end
      and ((lead_mover.lane_of_message(q.msg_id, q.message)).p_lane).migration_id is null
    order by q.msg_id
    for update
  loop
    -- Once more, with what was committed while we waited for it.
    if ((lead_mover.lane_of_message(v_sent.msg_id, v_sent.message)).p_lane).migration_id is null then
      v_message_ids := v_message_ids || v_sent.msg_id;
    end if;
  end loop;

  return v_message_ids;
end
$$;

select lead_mover.make_private('lead_mover.lock_sent_messages(uuid)');

comment on function lead_mover.lock_sent_messages(uuid) is 'The messages for a run that an application sent itself and nobody has adopted yet, locked.';
