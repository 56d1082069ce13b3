-- Whether the column is there, and is one of the funnel. Asked before a move is queued and before each
-- batch, so it is also where row level security is looked for: with row_security off, a table whose
-- policies would hide rows from us raises an error, where otherwise leads that we cannot see would count
-- as moved, and a column that we cannot see as deleted.
create or replace function lead_mover.target_exists(p_funnel_id uuid, p_column_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
begin
  return exists (
    select
    from lead_mover.columns c
    where c.id = p_column_id
      and c.funnel_id = p_funnel_id
  )
  -- Reads nothing, and is refused all the same.
  and not exists (
    select
    from lead_mover.leads l
    where false
  );
end
$$;

select lead_mover.make_private('lead_mover.target_exists(uuid, uuid)');

comment on function lead_mover.target_exists(uuid, uuid) is 'Whether the funnel has that column; raises an error where row level security would hide leads or columns.';
