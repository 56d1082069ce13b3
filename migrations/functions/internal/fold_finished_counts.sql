-- Replaces the rows of finished_counts by their sums, where they are many. Rows are inserted and deleted, and
-- never updated: so a row that another transaction has folded is gone, and is not read again in a newer form.
-- Those that another transaction holds are left for the next time. At most 10 000 are folded, so that a sample
-- does not take long after a long time without samples.
create or replace function lead_mover.fold_finished_counts()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  c_many constant integer := 500;
  c_most constant integer := 10000;
begin
  if (select count(*) from (select from lead_mover.finished_counts c limit c_many) c) < c_many then
    return;
  end if;

  with taken as materialized (
    select c.id
    from lead_mover.finished_counts c
    order by c.id
    limit c_most
    for update skip locked
  ),
  folded as (
    delete from lead_mover.finished_counts c
    using taken t
    where t.id = c.id
    returning c.status, c.moves
  )
  insert into lead_mover.finished_counts (status, moves)
  select f.status, sum(f.moves)
  from folded f
  group by f.status
  having sum(f.moves) <> 0;
end
$$;

select lead_mover.make_private('lead_mover.fold_finished_counts()');

comment on function lead_mover.fold_finished_counts() is 'Replaces the rows of finished_counts by their sums, where they are many.';
