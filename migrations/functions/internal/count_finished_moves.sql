-- Counts the finished moves that a statement has added, changed or removed: one row a status whose number has
-- changed. It runs with its owner's rights, so that changes by any role that may change the table are counted.
create or replace function lead_mover.count_finished_moves()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  case tg_op
    when 'INSERT' then
      insert into lead_mover.finished_counts (status, moves)
      select n.status, count(*)
      from new_moves n
      where n.finished_at is not null
      group by n.status;
    when 'DELETE' then
      insert into lead_mover.finished_counts (status, moves)
      select o.status, -count(*)
      from old_moves o
      where o.finished_at is not null
      group by o.status;
    when 'UPDATE' then
      insert into lead_mover.finished_counts (status, moves)
      select changed.status, sum(changed.moves)
      from (
        select n.status, 1 as moves
        from new_moves n
        where n.finished_at is not null
        union all
        select o.status, -1
        from old_moves o
        where o.finished_at is not null
      ) changed
      group by changed.status
      having sum(changed.moves) <> 0;
    when 'TRUNCATE' then
      truncate lead_mover.finished_counts;
  end case;
  return null;
end
$$;

select lead_mover.make_private('lead_mover.count_finished_moves()');

comment on function lead_mover.count_finished_moves() is 'Trigger: adds to finished_counts how many finished moves a statement has added or removed.';
