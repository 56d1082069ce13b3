-- The three views that map the CRM's tables of leads, runs and columns. A view that exists is kept if it
-- has the needed columns. A missing view is created over public.leads, public.runs or public.columns if
-- that table has the needed columns.

do $$
declare
  v_wanted constant text[] := array[
    'leads.id', 'leads.run_id.uuid', 'leads.funnel_id.uuid', 'leads.column_id.uuid',
    'runs.id.uuid', 'runs.name',
    'columns.id.uuid', 'columns.funnel_id.uuid'
  ];
  v_missing text;
  v_foreign_type text;
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
      message = format('the lead mover cannot map your tables: there is no %s', v_missing),
      hint = $hint$Create the three views over your own tables, then run migrate again. Adapt the right-hand side:

create schema if not exists lead_mover;
create view lead_mover.leads as select id, run_id, funnel_id, column_id from public.your_leads;
create view lead_mover.runs as select id, name from public.your_runs;
create view lead_mover.columns as select id, funnel_id from public.your_columns;

To try it on example tables: migrate --example-schema$hint$;
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

  -- The functions look operators up in pg_catalog only. For a type of an extension pg_catalog has no operator,
  -- or not the one that orders the type's indexes: citext would be compared as text. Array types cannot be
  -- keys, because keys are stored in arrays, nor composite types, because `unnest` takes them apart.
  with recursive key_type as (
    select t.oid, t.typtype, t.typcategory, t.typnamespace, t.typbasetype
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    where a.attrelid = 'lead_mover.leads'::regclass
      and a.attname = 'id'
    union all
    select t.oid, t.typtype, t.typcategory, t.typnamespace, t.typbasetype
    from key_type k
    join pg_type t on t.oid = k.typbasetype
  )
  select format_type(k.oid, null)
  into v_foreign_type
  from key_type k
  where k.typcategory = 'A'
    or k.typtype = 'c'
    or (k.typtype = 'b' and k.typnamespace <> 'pg_catalog'::regnamespace);

  if v_foreign_type is not null then
    raise exception using
      errcode = 'feature_not_supported',
      message = format('the lead mover cannot handle keys of type %s', v_foreign_type),
      hint = $hint$Let the view return them as text, and index that expression:

create view lead_mover.leads as select id::text as id, run_id, funnel_id, column_id from public.your_leads;
create index concurrently on public.your_leads (run_id, (id::text));$hint$;
  end if;
end
$$;
