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

-- Each function's file calls this before it sets the function's comment. A function without a comment has just been
-- created, and default privileges may have granted it to anybody: only its owner may execute it until
-- lead_mover.apply_openings, at the end of migrate, grants what is open. That of a function with a comment stays.
--
-- p_function: with the types of its parameters, or only its name where those depend on the mapping.
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
    where r.rolname in ('anon', 'authenticated', 'service_role')
  loop
    execute format('revoke all on function %s from %I', v_function, v_role);
  end loop;
end
$$;

revoke all on function lead_mover.make_private(text) from public;

comment on function lead_mover.make_private(text) is 'Leaves execute on a function that has just been created to its owner.';
