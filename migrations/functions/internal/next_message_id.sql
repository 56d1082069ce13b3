-- The message that the next batch is going to take; null: none is due. After a batch took its session with it, the
-- service asks before the next one, so that it knows whose batch does it again.
create or replace function lead_mover.next_message_id()
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select due.msg_id
    from (
      select q.msg_id
      from pgmq.q_lead_migration_queue q
      where q.vt <= clock_timestamp()
      order by q.msg_id
      limit 1
      for update skip locked
    ) due
  );
end
$$;

select lead_mover.make_private('lead_mover.next_message_id()');

comment on function lead_mover.next_message_id() is 'The message that the next batch is going to take.';
