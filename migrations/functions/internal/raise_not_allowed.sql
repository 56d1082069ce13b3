create or replace function lead_mover.raise_not_allowed(p_run_id lead_mover.moves.run_id%type)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'insufficient_privilege',
    message = format('Sem permissão para mover todos os leads da extração %s para este destino', p_run_id),
    hint = 'A segurança por linha e os grants das tabelas de leads decidem; depois, lead_mover.may.';
end
$$;

select lead_mover.make_private('lead_mover.raise_not_allowed');

comment on function lead_mover.raise_not_allowed is 'Raises 42501 for a run that the caller sees and may not move.';
