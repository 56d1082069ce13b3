-- Makes a message due again after a delay that doubles each time, from 1 s to 5 min. For a message without a lane; of
-- a lane, record_failure does it.
create or replace function lead_mover.delay_message(p_message_id bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update pgmq.q_lead_migration_queue q
  set
    vt = clock_timestamp() + least(interval '1 second' * 2 ^ least(q.read_ct, 10), interval '5 minutes'),
    read_ct = q.read_ct + 1
  where q.msg_id = p_message_id;
end
$$;

select lead_mover.make_private('lead_mover.delay_message(bigint)');

comment on function lead_mover.delay_message(bigint) is 'Makes a message due again after a delay that doubles each time.';
