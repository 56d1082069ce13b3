create or replace function lead_mover.raise_no_run(p_run_id lead_mover.moves.run_id%type)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'LM001',
    message = format('Extração não encontrada: %s', coalesce(p_run_id::text, 'null')),
    hint = 'Confira p_run_id: não há linha com esse id em lead_mover.runs.';
end
$$;

select lead_mover.make_private('lead_mover.raise_no_run');

comment on function lead_mover.raise_no_run is 'Raises LM001.';
