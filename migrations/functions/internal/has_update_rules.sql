-- Whether a table or view of the database has a rule for updates; those of views that PostgreSQL makes are for selects.
create or replace function lead_mover.has_update_rules()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  c_first_oid constant oid := oid '16384'; -- FirstNormalObjectId: below are the objects of the server itself
begin
  return exists (select from pg_rewrite r where r.ev_type = '2' and r.ev_class >= c_first_oid);
end
$$;

select lead_mover.make_private('lead_mover.has_update_rules()');

comment on function lead_mover.has_update_rules() is 'Whether a table or view of the database has a rule for updates.';
