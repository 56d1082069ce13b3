-- Runs, funnels and columns have ids of any type: ids.sql gives the ledger's columns the types of the mapping. A CRM
-- without funnels has no funnel_id. Ids of finished moves that another type cannot take become null.

-- The functions that read them are replaced in the same transaction.
-- squawk-ignore ban-drop-not-null
alter table lead_mover.moves alter column run_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table lead_mover.moves alter column funnel_id drop not null;
-- squawk-ignore ban-drop-not-null
alter table lead_mover.moves alter column column_id drop not null;

alter table lead_mover.moves
-- squawk-ignore constraint-missing-not-valid -- one row a move
add constraint moves_active_ids_check check (finished_at is not null or run_id is not null and column_id is not null);

comment on column lead_mover.moves.run_id is 'The run; null where the mapping has another type of ids since the move finished.';
comment on column lead_mover.moves.funnel_id is 'The funnel to move to; null in a CRM without funnels.';
comment on column lead_mover.moves.column_id is 'The column to move to; null where the mapping has another type of ids since the move finished.';
