-- The schema that holds everything else. It is safe to run this file any number of times.

create schema if not exists lead_mover;

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
create or replace function lead_mover.make_private(p_function regprocedure)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role text;
begin
  if obj_description(p_function, 'pg_proc') is not null then
    return;
  end if;

  execute format('revoke all on function %s from public', p_function);

  -- Supabase's default privileges grant execute on every new function in public to these two roles.
  for v_role in
    select r.rolname
    from pg_roles r
    where r.rolname in ('anon', 'authenticated')
  loop
    execute format('revoke all on function %s from %I', p_function, v_role);
  end loop;

  if exists (select from pg_roles r where r.rolname = 'service_role') then
    execute format('grant execute on function %s to service_role', p_function);
  end if;
end
$$;

revoke all on function lead_mover.make_private(regprocedure) from public;

comment on function lead_mover.make_private(regprocedure) is 'Leaves execute on a function that has just been created to its owner and service_role only.';
