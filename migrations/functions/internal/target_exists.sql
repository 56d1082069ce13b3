-- Whether the column exists and belongs to the funnel; for `funnel_id`, see next_leads. It is called before a move is queued and before each
-- batch, so that it also checks row level security: with row_security off, a table whose policies would hide
-- rows from this role raises an error. Without that, hidden leads would count as moved, and a hidden column as
-- deleted.
create or replace function lead_mover.target_exists(p_funnel_id lead_mover.moves.funnel_id%type, p_column_id lead_mover.moves.column_id%type)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  funnel_id constant lead_mover.moves.funnel_id%type := p_funnel_id;
begin
  return exists (
    select
    from lead_mover.columns c
    where c.id = p_column_id
      and funnel_id is not distinct from p_funnel_id
  )
  -- Reads no row, but raises the error of row_security.
  and not exists (
    select
    from lead_mover.leads l
    where false
  );
end
$$;

select lead_mover.make_private('lead_mover.target_exists');

comment on function lead_mover.target_exists is 'Whether the funnel has that column; raises an error if row level security would hide leads or columns.';
