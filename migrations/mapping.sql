-- The three views that map the CRM's tables of leads, runs and columns. A view that exists is kept if it
-- has the needed columns, of any type. A missing view is created over public.leads, public.runs or public.columns if
-- that table has the needed columns.

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
      split_part(w, '.', 2) as attribute,
      case
        when to_regclass('lead_mover.' || split_part(w, '.', 1)) is null then 'public'
        else 'lead_mover'
      end as place
    from unnest(v_wanted) as w
  )
  select string_agg(format('%s.%s.%s', w.place, w.relation, w.attribute), ', ')
  into v_missing
  from wanted w
  where not exists (
    select
    from pg_attribute a
    where a.attrelid = to_regclass(format('%s.%s', w.place, w.relation))
      and a.attname = w.attribute
      and not a.attisdropped
  )
  -- A CRM without funnels leaves funnel_id out of both views.
  and not (
    w.attribute = 'funnel_id'
    and to_regclass('lead_mover.leads') is not null
    and to_regclass('lead_mover.columns') is not null
    and not exists (
      select
      from pg_attribute a
      where a.attrelid in (to_regclass('lead_mover.leads'), to_regclass('lead_mover.columns'))
        and a.attname = 'funnel_id'
    )
  );

  if v_missing is not null then
    raise exception using
      errcode = 'undefined_table',
      message = format('the lead mover cannot map your tables: there is no %s', v_missing),
      hint = $hint$Create the three views over your own tables, then run migrate again. Adapt the right-hand side:

create schema if not exists lead_mover;
create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.your_leads;
create view lead_mover.runs as select id, name from public.your_runs;
create view lead_mover.columns as select id, funnel_id from public.your_columns;

A CRM without funnels leaves funnel_id out of both views. To try it on example tables: migrate --example-schema$hint$;
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
