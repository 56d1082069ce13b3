-- The schema that holds everything else. It is safe to run this file any number of times.

-- Not `if not exists`, for which a role needs the right to create schemas also where there is one.
do $$
begin
  if not exists (select from pg_namespace n where n.nspname = 'lead_mover') then
    create schema lead_mover;
  end if;
end
$$;

comment on schema lead_mover is 'Internals of the lead mover: mapping views, ledger, functions. Applications call the functions in public.';

create table if not exists lead_mover.schema_files (
  path text primary key,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
);

comment on table lead_mover.schema_files is 'The SQL files applied to this database, with the SHA-256 of the text that was applied.';

-- Each function's file calls this before it sets the function's comment. A function without a comment has
-- just been created: only its owner and service_role may execute it. A function with a comment existed
-- before: grants that the operator added since stay.
--
-- p_function: with the types of its parameters, or only its name where those depend on the mapping.
-- The setting lead_mover.kept_grants has the grants of functions that this transaction has dropped, because the
-- types of their parameters have changed: see keys.sql. They come back.
drop function if exists lead_mover.make_private(regprocedure);

create or replace function lead_mover.make_private(p_function text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function constant regprocedure :=
    case when p_function like '%(%' then p_function::regprocedure else p_function::regproc::regprocedure end;
  v_kept constant jsonb :=
    nullif(current_setting('lead_mover.kept_grants', true), '')::jsonb -> split_part(p_function, '(', 1);
  v_grant record;
  v_role text;
begin
  if obj_description(v_function, 'pg_proc') is not null then
    return;
  end if;

  execute format('revoke all on function %s from public', v_function);

  -- Default privileges, as Supabase's, grant execute on every new function to some roles.
  for v_role in
    select r.rolname
    from pg_roles r
    where r.rolname in ('anon', 'authenticated')
      or v_kept is not null and r.rolname = 'service_role'
  loop
    execute format('revoke all on function %s from %I', v_function, v_role);
  end loop;

  if v_kept is not null then
    for v_grant in
      select r.rolname, (k ->> 'grant_option')::boolean as has_grant_option
      from jsonb_array_elements(v_kept) as k
      left join pg_roles r on r.oid = (k ->> 'role')::oid
    loop
      if v_grant.rolname is null then
        execute format('grant execute on function %s to public', v_function);
      elsif v_grant.has_grant_option then
        execute format('grant execute on function %s to %I with grant option', v_function, v_grant.rolname);
      else
        execute format('grant execute on function %s to %I', v_function, v_grant.rolname);
      end if;
    end loop;
  elsif exists (select from pg_roles r where r.rolname = 'service_role') then
    execute format('grant execute on function %s to service_role', v_function);
  end if;
end
$$;

revoke all on function lead_mover.make_private(text) from public;

comment on function lead_mover.make_private(text) is 'Leaves execute on a function that has just been created to its owner and service_role only.';
