-- A text for display, in characters that the client's encoding has: others become question marks. A run's name or the
-- error of a trigger may hold one that cannot be sent, and the whole answer would fail for it.
create or replace function lead_mover.printable(p_text text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_server constant text := current_setting('server_encoding');
  v_client constant text := current_setting('client_encoding');
begin
  if p_text is null or v_client = 'SQL_ASCII' or v_client = v_server then
    return p_text;
  end if;

  perform convert_to(p_text, v_client::name);

  return p_text;
exception
  when others then
    return regexp_replace(p_text, E'[^\\x01-\\x7e]', '?', 'g');
end
$$;

select lead_mover.make_private('lead_mover.printable(text)');

comment on function lead_mover.printable(text) is 'A text in characters that the client''s encoding has.';
