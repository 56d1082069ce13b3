-- Who asks: the subject of the JWT that PostgREST has set for the request, else the role.
create or replace function lead_mover.actor()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  c_longest constant integer := 200;
  v_subject text;
begin
  begin
    v_subject := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
  exception
    when data_exception then
      null;
  end;

  return left(coalesce(nullif(v_subject, ''), current_user::text), c_longest);
end
$$;

select lead_mover.make_private('lead_mover.actor()');

comment on function lead_mover.actor() is 'Who asks: the subject of the request''s JWT, else the role.';
