-- The checks that every way to queue a move goes through. Returns the name of the run.
create or replace function lead_mover.check_target(p_run_id lead_mover.moves.run_id%type, p_funnel_id lead_mover.moves.funnel_id%type, p_column_id lead_mover.moves.column_id%type, p_batch_size integer)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- As in target_exists, a run that row level security would hide raises an error of its own.
set row_security = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_run_name text;
begin
  if p_batch_size not between 1 and 10000 then
    raise exception using
      errcode = 'LM003',
      message = format('Tamanho de lote inválido: %s', p_batch_size),
      hint = 'Use um valor entre 1 e 10000, ou null para o padrão.';
  end if;

  select r.name
  into v_run_name
  from lead_mover.runs r
  where r.id = p_run_id;

  if not found then
    perform lead_mover.raise_no_run(p_run_id);
  end if;

  if not lead_mover.target_exists(p_funnel_id, p_column_id) then
    perform lead_mover.raise_no_column(p_funnel_id, p_column_id);
  end if;

  return v_run_name;
end
$$;

select lead_mover.make_private('lead_mover.check_target');

comment on function lead_mover.check_target is 'Raises LM001, LM002 or LM003 if the move is not possible; else returns the name of the run.';
