-- A small CRM to try the lead mover on: funnels, their kanban columns, extraction runs and leads.
-- Raises an error where one of the tables exists.

do $$
declare
  v_existing text;
begin
  select string_agg(c.relname, ', ' order by c.relname)
  into v_existing
  from pg_class c
  where c.relnamespace = 'public'::regnamespace
    and c.relname in ('funnels', 'columns', 'runs', 'leads');

  if v_existing is not null then
    raise exception using
      errcode = 'duplicate_table',
      message = format('the example schema was not created: public already has %s', v_existing),
      hint = 'Leave out --example-schema to use the existing tables, or use an empty database.';
  end if;
end
$$;

create table public.funnels (
  id uuid primary key default gen_random_uuid(),
  name text not null
);

create table public.columns (
  id uuid primary key default gen_random_uuid(),
  funnel_id uuid not null references public.funnels (id) on delete cascade,
  name text not null,
  position integer not null default 0
);

create index columns_funnel_id_idx on public.columns (funnel_id);

create table public.runs (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_at timestamptz not null default now()
);

create table public.leads (
  id uuid primary key default gen_random_uuid(),
  run_id uuid not null,
  funnel_id uuid references public.funnels (id),
  column_id uuid references public.columns (id),
  name text not null,
  phone text,
  created_at timestamptz not null default now()
);

-- The index that the lead mover walks: the leads of one run in the order of their keys.
create index leads_run_id_id_idx on public.leads (run_id, id);
create index leads_funnel_id_column_id_idx on public.leads (funnel_id, column_id);
create index leads_created_at_idx on public.leads (created_at);
