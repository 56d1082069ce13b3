-- Whether the error of a batch is to be looked for in its leads: at once where the SQLSTATE says so (see error_kind),
-- else when the lane has failed with it three times in a row. A foreign key error because the target was deleted is
-- no lead's: the next batch finds the target missing, and the move fails.
create or replace function lead_mover.may_be_of_a_lead(p_work lead_mover.work, p_sqlstate text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  c_failures_before constant integer := 2;
begin
  if lead_mover.error_kind(p_sqlstate) = 'lead' then
    return p_sqlstate <> '23503' or lead_mover.target_exists((p_work.move).funnel_id, (p_work.move).column_id);
  end if;

  return (p_work.lane).last_sqlstate = p_sqlstate
    and (p_work.lane).attempts + (p_work.lane).lock_waits >= c_failures_before;
end
$$;

select lead_mover.make_private('lead_mover.may_be_of_a_lead(lead_mover.work, text)');

comment on function lead_mover.may_be_of_a_lead(lead_mover.work, text) is 'Whether the error of a batch is to be looked for in its leads.';
