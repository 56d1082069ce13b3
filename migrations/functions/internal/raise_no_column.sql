create or replace function lead_mover.raise_no_column(
  p_funnel_id lead_mover.moves.funnel_id%type,
  p_column_id lead_mover.moves.column_id%type
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_funnels constant boolean := lead_mover.has_funnels();
begin
  raise exception using
    errcode = 'LM002',
    message = format('Coluna %s não encontrada', coalesce(p_column_id::text, 'null'))
      || case when v_has_funnels then format(' no funil %s', coalesce(p_funnel_id::text, 'null')) else '' end,
    hint = case
      when v_has_funnels then 'Confira p_funnel_id e p_column_id: a coluna tem de existir e pertencer a esse funil.'
      else 'Confira p_column_id: não há linha com esse id em lead_mover.columns.'
    end;
end
$$;

select lead_mover.make_private('lead_mover.raise_no_column');

comment on function lead_mover.raise_no_column is 'Raises LM002.';
