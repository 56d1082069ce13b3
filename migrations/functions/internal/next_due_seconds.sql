-- How long an idle worker may sleep, in seconds: until the next delayed message is due. For a due message that
-- another transaction holds it is at most a second, because that transaction may end without a batch. Null:
-- the queue is empty or all its messages are paused.
create or replace function lead_mover.next_due_seconds()
returns double precision
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_held boolean;
  v_next timestamptz;
begin
  v_held := exists (select from pgmq.q_lead_migration_queue q where q.vt <= v_now);

  select min(q.vt)
  into v_next
  from pgmq.q_lead_migration_queue q
  where q.vt > v_now
    and q.vt < 'infinity';

  return least(case when v_held then 1.0 end, extract(epoch from v_next - v_now)::double precision);
end
$$;

select lead_mover.make_private('lead_mover.next_due_seconds()');

comment on function lead_mover.next_due_seconds() is 'Seconds until a message is due; null if none will be.';
