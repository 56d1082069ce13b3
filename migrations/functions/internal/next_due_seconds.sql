-- How long a worker that found nothing may sleep: until the next delayed message is due. Messages that are
-- due but held by somebody else are looked at again within a second, in case their holder dies.
-- Null: nothing waits.
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

comment on function lead_mover.next_due_seconds() is 'Seconds until a message is due; null where none waits.';
