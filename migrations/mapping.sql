-- The three views that say which of the user's tables hold leads, runs and columns. Views that exist
-- are left alone; missing ones are made over public.leads, public.runs and public.columns if those
-- have the columns that are needed.

do $$
declare
  v_wanted constant text[] := array[
    'leads.id', 'leads.run_id', 'leads.funnel_id', 'leads.column_id',
    'runs.id', 'runs.name',
    'columns.id', 'columns.funnel_id'
  ];
  v_missing text;
begin
  with wanted as (
    select
      split_part(w, '.', 1) as relation,
      split_part(w, '.', 2) as attribute
    from unnest(v_wanted) as w
  )
  select string_agg(format('public.%s.%s', w.relation, w.attribute), ', ')
  into v_missing
  from wanted w
  where to_regclass(format('lead_mover.%I', w.relation)) is null
    and not exists (
      select
      from pg_attribute a
      where a.attrelid = to_regclass(format('public.%I', w.relation))
        and a.attname = w.attribute
        and not a.attisdropped
    );

  if v_missing is not null then
    raise exception using
      errcode = 'undefined_table',
      message = format('the lead mover does not know your tables: there is no %s', v_missing),
      hint = $hint$Create the three views over your own tables, then run migrate again. Adapt the right-hand side:

create schema if not exists lead_mover;
create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.your_leads;
create view lead_mover.runs as select id, name from public.your_runs;
create view lead_mover.columns as select id, funnel_id from public.your_columns;

To try it on tables made for the purpose: migrate --example-schema$hint$;
  end if;

  if to_regclass('lead_mover.leads') is null then
    create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.leads;
  end if;
  if to_regclass('lead_mover.runs') is null then
    create view lead_mover.runs as select id, name from public.runs;
  end if;
  if to_regclass('lead_mover.columns') is null then
    create view lead_mover.columns as select id, funnel_id from public.columns;
  end if;
end
$$;
