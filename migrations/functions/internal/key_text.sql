-- A key of a lead as text, under fixed settings: a retry reads it in another session, which may have others.
create or replace function lead_mover.key_text(p_id anyelement)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
begin
  return p_id::text;
end
$$;

select lead_mover.make_private('lead_mover.key_text(anyelement)');

comment on function lead_mover.key_text(anyelement) is 'A key of a lead as text, under fixed settings.';
