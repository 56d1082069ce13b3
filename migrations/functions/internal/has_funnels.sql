-- Whether leads stand in a funnel too: lead_mover.leads has funnel_id. A CRM without funnels leaves it out.
create or replace function lead_mover.has_funnels()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from pg_attribute a
    where a.attrelid = 'lead_mover.leads'::regclass
      and a.attname = 'funnel_id'
      and not a.attisdropped
  );
end
$$;

select lead_mover.make_private('lead_mover.has_funnels()');

comment on function lead_mover.has_funnels() is 'Whether leads stand in a funnel too.';
