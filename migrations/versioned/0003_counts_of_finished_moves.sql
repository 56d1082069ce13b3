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
