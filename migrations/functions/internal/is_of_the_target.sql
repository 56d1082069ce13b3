-- Whether an error is that of a foreign key because the target was deleted: no lead's fault. The next batch finds
-- the target missing, and the move fails.
create or replace function lead_mover.is_of_the_target(p_work lead_mover.work, p_sqlstate text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_sqlstate = '23503'
    and not lead_mover.target_exists((p_work.move).funnel_id, (p_work.move).column_id);
end
$$;

select lead_mover.make_private('lead_mover.is_of_the_target(lead_mover.work, text)');

comment on function lead_mover.is_of_the_target(lead_mover.work, text) is 'Whether an error is that of a foreign key because the target was deleted.';
