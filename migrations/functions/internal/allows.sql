-- Asks the operator's function lead_mover.may(action, run, funnel, column), if there is one. It runs with the rights of
-- the caller, unless the operator has made it `security definer`.
create or replace function lead_mover.allows(
  p_action text,
  p_run_id lead_mover.moves.run_id%type,
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function constant oid := (
    select p.oid
    from pg_proc p
    where p.proname = 'may'
      and p.pronamespace = 'lead_mover'::regnamespace
    limit 1
  );
  v_allows boolean;
begin
  if v_function is null then
    return true;
  end if;

  execute format('select %s($1, $2, $3, $4)', v_function::regproc)
  into v_allows
  using p_action, p_run_id, p_funnel_id, p_column_id;

  return coalesce(v_allows, false);
end
$$;

select lead_mover.make_private('lead_mover.allows');

comment on function lead_mover.allows is 'What the operator''s function lead_mover.may answers; true where there is none.';
