-- Whether moves can work with the mapping: its types, and whether leads can be written. It raises an error that names
-- the view and the column, and changes nothing.
do $$
declare
  v_found record;
  v_names text;
  v_error text;
begin
  -- The functions look operators up in pg_catalog only. For a type of an extension pg_catalog has no operator,
  -- or not the one that orders the type's indexes: citext would be compared as text. Array types cannot be
  -- keys, because keys are stored in arrays, nor composite types, because `unnest` takes them apart.
  with recursive id_type as (
    select
      c.relname, a.attname, a.attnum, t.oid, t.typtype, t.typcategory, t.typnamespace, t.typbasetype
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid
    join pg_type t on t.oid = a.atttypid
    where c.oid in ('lead_mover.leads'::regclass, 'lead_mover.runs'::regclass, 'lead_mover.columns'::regclass)
      and a.attname in ('id', 'run_id', 'funnel_id', 'column_id')
    union all
    select i.relname, i.attname, i.attnum, t.oid, t.typtype, t.typcategory, t.typnamespace, t.typbasetype
    from id_type i
    join pg_type t on t.oid = i.typbasetype
    where i.typtype = 'd'
  )
  select i.relname, i.attname, format_type(i.oid, null) as type_name
  into v_found
  from id_type i
  where i.typtype <> 'd'
    and (
      i.typcategory = 'A'
      or i.typtype = 'c'
      or i.typtype = 'b' and i.typnamespace <> 'pg_catalog'::regnamespace
      or not exists (
        select
        from pg_opclass o
        join pg_am m on m.oid = o.opcmethod
        where m.amname = 'btree'
          and o.opcdefault
          and (
            o.opcintype = i.oid
            or i.typtype = 'e' and o.opcintype = 'anyenum'::regtype
            or i.typtype = 'r' and o.opcintype = 'anyrange'::regtype
            or exists (
              select
              from pg_cast c
              where c.castsource = i.oid
                and c.casttarget = o.opcintype
                and c.castmethod = 'b'
                and c.castcontext = 'i'
            )
          )
      )
    )
  order by i.relname = 'leads' desc, i.attname = 'id' desc, i.attnum
  limit 1;

  if found and (v_found.relname, v_found.attname) = ('leads', 'id') then
    raise exception using
      errcode = 'feature_not_supported',
      message = format('the lead mover cannot handle keys of type %s', v_found.type_name),
      hint = $hint$Let the view return them as text, and index that expression:

create view lead_mover.leads as select id::text as id, run_id, funnel_id, column_id from public.your_leads;
create index concurrently on public.your_leads (run_id, (id::text));$hint$;
  elsif found then
    raise exception using
      errcode = 'feature_not_supported',
      message = format(
        'the lead mover cannot handle lead_mover.%s.%s: it is of type %s', v_found.relname, v_found.attname, v_found.type_name
      ),
      hint = 'Let the views show it as text. An instead of trigger on lead_mover.leads writes such a column: see docs/mapping.md.';
  end if;

  -- Each of them is compared with the parameters of the functions, which have the collation of all together.
  select string_agg(format('lead_mover.%s.%s (%s)', c.relname, a.attname, a.attcollation::regcollation), ', ' order by c.relname, a.attnum)
  into v_names
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid
  where c.oid in ('lead_mover.leads'::regclass, 'lead_mover.runs'::regclass, 'lead_mover.columns'::regclass)
    and a.attname in ('id', 'run_id', 'funnel_id', 'column_id')
    and a.attcollation <> 0
  having count(distinct a.attcollation) > 1;

  if v_names is not null then
    raise exception using
      errcode = 'collation_mismatch',
      message = format('the ids in the mapping have several collations: %s', v_names),
      hint = 'Give the columns of the tables one collation, or show them with one: select run_id collate "C" as run_id. '
        'The index has to have it too: create index concurrently on public.your_leads (run_id collate "C", id).';
  end if;

  for v_found in
    select *
    from (
      values
        ('runs', 'id', 'run_id'),
        ('columns', 'id', 'column_id'),
        ('columns', 'funnel_id', 'funnel_id')
    ) as w (relname, attname, lead_column)
    where exists (
      select
      from pg_attribute a
      where a.attrelid = ('lead_mover.' || w.relname)::regclass
        and a.attname = w.attname
    )
  loop
    begin
      execute format(
        'explain select from lead_mover.leads l join lead_mover.%I o on o.%I = l.%I',
        v_found.relname, v_found.attname, v_found.lead_column
      );
    exception
      when undefined_function then
        raise exception using
          errcode = 'datatype_mismatch',
          message = format(
            'lead_mover.%s.%s and lead_mover.leads.%s have types that cannot be compared: %s',
            v_found.relname, v_found.attname, v_found.lead_column, sqlerrm
          ),
          hint = 'Let the views show both with one type.';
      when insufficient_privilege then
        null;
    end;
  end loop;

  -- Planned, and not run. A role that may not write yet is told so by doctor.
  for v_found in
    select a.attname
    from pg_attribute a
    where a.attrelid = 'lead_mover.leads'::regclass
      and a.attname in ('funnel_id', 'column_id')
    order by a.attnum
  loop
    begin
      execute format('explain update lead_mover.leads l set %1$I = null where l.id is null', v_found.attname);
    exception
      when insufficient_privilege then
        null;
      when others then
        get stacked diagnostics v_error = pg_exception_detail;
        raise exception using
          errcode = sqlstate,
          message = format('nothing can be written through lead_mover.leads.%s: %s', v_found.attname, sqlerrm),
          detail = v_error,
          hint = $hint$Let it show a column of the lead table itself, in a view of that one table:

create or replace view lead_mover.leads as select id, run_id, funnel_id, column_id from public.your_leads;

A CRM without funnels leaves funnel_id out of lead_mover.leads and lead_mover.columns. Any other view needs an instead of trigger that writes the column. docs/mapping.md has examples of both.$hint$;
    end;
  end loop;
end
$$;
