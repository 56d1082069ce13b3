-- Whether the column that a move goes to is still there, and still in that funnel.
create or replace function lead_mover.has_target(p_migration lead_mover.migrations)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from lead_mover.columns c
    where c.id = p_migration.column_id
      and c.funnel_id = p_migration.funnel_id
  );
end
$$;

select lead_mover.make_private('lead_mover.has_target(lead_mover.migrations)');

comment on function lead_mover.has_target(lead_mover.migrations) is 'Whether the column that a move goes to is still there, in its funnel.';
