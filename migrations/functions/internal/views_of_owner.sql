-- The mapping views, and the views below them, that show their rows with the rights of their owner: row level security
-- of the caller does not apply to what they show.
create or replace function lead_mover.views_of_owner()
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    with recursive used as (
      select c.oid, c.reloptions
      from pg_class c
      where c.relnamespace = 'lead_mover'::regnamespace
        and c.relname in ('leads', 'runs', 'columns')
      union
      select c.oid, c.reloptions
      from used u
      join pg_rewrite r on r.ev_class = u.oid
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      join pg_class c on c.oid = d.refobjid
      where c.relkind = 'v'
    )
    select u.oid::regclass::text
    from used u
    where not exists (
      select
      from pg_options_to_table(u.reloptions) o
      where o.option_name = 'security_invoker'
        and o.option_value::boolean
    )
    order by u.oid::regclass::text
  );
end
$$;

select lead_mover.make_private('lead_mover.views_of_owner()');

comment on function lead_mover.views_of_owner() is 'The mapping views, and those below them, that show their rows with their owner''s rights.';
