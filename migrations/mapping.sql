-- The three views that say which of the user's tables hold leads, runs and columns. Views that exist
-- are left alone, if they have the columns that are needed; missing ones are made over public.leads,
-- public.runs and public.columns if those have them.

do $$
declare
  v_wanted constant text[] := array[
    'leads.id', 'leads.run_id.uuid', 'leads.funnel_id.uuid', 'leads.column_id.uuid',
    'runs.id.uuid', 'runs.name',
    'columns.id.uuid', 'columns.funnel_id.uuid'
  ];
  v_missing text;
begin
  with wanted as (
    select
      split_part(w, '.', 1) as relation,
      split_part(w, '.', 2) as attribute,
      split_part(w, '.', 3) as type_name,
      case
        when to_regclass('lead_mover.' || split_part(w, '.', 1)) is null then 'public'
        else 'lead_mover'
      end as place
    from unnest(v_wanted) as w
  )
  select string_agg(rtrim(format('%s.%s.%s %s', w.place, w.relation, w.attribute, w.type_name)), ', ')
  into v_missing
  from wanted w
  where not exists (
    select
    from pg_attribute a
    where a.attrelid = to_regclass(format('%s.%s', w.place, w.relation))
      and a.attname = w.attribute
      and not a.attisdropped
      and w.type_name in ('', format_type(a.atttypid, null))
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
