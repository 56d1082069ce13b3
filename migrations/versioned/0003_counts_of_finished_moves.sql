-- How many moves have finished with each status, so that the gauges need not count them: there is no end to
-- their number.
--
-- What ends, adds or removes finished moves inserts a row with the difference, and updates none. So no
-- transaction waits for another that has ended a move and stays open.

-- No move may end between the count below and the triggers, which the same transaction creates. It is the lock
-- that `drop index` needs: a batch that has read its move, and would wait to write it, would else wait for this
-- transaction, and this one for the batch.
lock table lead_mover.moves in access exclusive mode;

create table lead_mover.finished_counts (
  id bigint generated always as identity primary key,
  status text not null,
  moves bigint not null
);

comment on table lead_mover.finished_counts is 'The sum of moves by status is the number of finished moves with it. Triggers on the table moves add rows; samples replace many rows by their sum.';

insert into lead_mover.finished_counts (status, moves)
select m.status, count(*)
from lead_mover.moves m
where m.finished_at is not null
group by m.status;

-- Active moves are looked up in moves_one_active_per_run. This one had an entry for every finished move too.
-- squawk-ignore require-concurrent-index-deletion -- the table is locked already
drop index lead_mover.moves_status_idx;

-- Samples have another result column now. The roles that may take samples may still; the function gets its text from
-- its file, and one with a comment keeps its grants.
drop function if exists lead_mover.read_sample();

do $$
declare
  v_roles text[];
  v_role text;
begin
  if to_regprocedure('lead_mover.sample()') is null then
    return;
  end if;

  select coalesce(array_agg(r.rolname), '{}')
  into v_roles
  from pg_proc p
  cross join lateral aclexplode(p.proacl) a
  join pg_roles r on r.oid = a.grantee
  where p.oid = 'lead_mover.sample()'::regprocedure
    and a.grantee <> p.proowner;

  drop function lead_mover.sample();
  create function lead_mover.sample()
  returns table (
    queue_depth bigint,
    oldest_message_age_seconds double precision,
    leads_remaining bigint,
    status_counts jsonb,
    migrations_stalled bigint
  )
  language sql
  as $sample$ select null::bigint, null::double precision, null::bigint, null::jsonb, null::bigint $sample$;

  revoke all on function lead_mover.sample() from public;
  comment on function lead_mover.sample() is 'As before.';

  foreach v_role in array v_roles loop
    execute format('grant execute on function lead_mover.sample() to %I', v_role);
  end loop;
end
$$;
