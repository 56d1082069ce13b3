-- The caller sees the moves of runs that they see: see policies/ledger.sql.
create or replace function public.get_lead_migration_rejections(p_migration_id bigint)
returns table (lead_id text, sqlstate text, error text, rejected_at timestamptz)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    lead_mover.printable(r.lead_id),
    r.sqlstate,
    lead_mover.printable(r.error),
    r.rejected_at
  from lead_mover.rejections r
  where r.migration_id = p_migration_id
  order by r.rejected_at, r.lead_id
$$;

select lead_mover.make_private('public.get_lead_migration_rejections(bigint)');

comment on function public.get_lead_migration_rejections(bigint) is 'One row a rejected lead of the move, with the error.';
