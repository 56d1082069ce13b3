-- Who may read the ledger beside its owner: roles to which lead_mover.open_to has opened progress see the moves of the
-- runs that they see. The policies name the whole row and no id: the types of ids can change. Inside `(select ...)` a
-- function is called once a statement.
drop policy if exists seen on lead_mover.moves;
drop policy if exists seen on lead_mover.lanes;
drop policy if exists seen on lead_mover.rejections;

create policy seen on lead_mover.moves for select
using (
  (select lead_mover.is_trusted('progress'))
  or (select pg_catalog.cardinality(lead_mover.views_of_owner())) = 0 and lead_mover.sees_run(moves)
);

create policy seen on lead_mover.lanes for select
using (
  (select lead_mover.is_trusted('progress'))
  or exists (select from lead_mover.moves m where m.migration_id = lanes.migration_id)
);

create policy seen on lead_mover.rejections for select
using (
  (select lead_mover.is_trusted('progress'))
  or exists (select from lead_mover.moves m where m.migration_id = rejections.migration_id)
);
