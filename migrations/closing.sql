-- Takes away what a database's default privileges, as Supabase's, have given on functions that were there already when
-- they were restored from a dump: make_private does it for new functions only. Applied each time.
--
-- service_role may call the functions in public, also where its grants were left out of the dump: where it may call
-- none of them. What an operator has taken from it stays taken.
do $$
declare
  v_grant record;
begin
  for v_grant in
    select p.oid::regprocedure as signature, coalesce(quote_ident(r.rolname), 'public') as grantee
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    left join pg_roles r on r.oid = a.grantee
    where (
        n.nspname = 'lead_mover'
        or exists (
          select
          from lead_mover.schema_files f
          where n.nspname = 'public'
            and f.path = format('functions/public/%s.sql', p.proname)
        )
      )
      and (
        a.grantee = 0
        or r.rolname = 'anon'
        or r.rolname = 'authenticated' and n.nspname = 'lead_mover'
      )
  loop
    execute format('revoke execute on function %s from %s', v_grant.signature, v_grant.grantee);
  end loop;

  if not exists (select from pg_roles r where r.rolname = 'service_role')
    or exists (
      select
      from pg_proc p
      join lead_mover.schema_files f on f.path = format('functions/public/%s.sql', p.proname)
      where p.pronamespace = 'public'::regnamespace
        and has_function_privilege('service_role', p.oid, 'execute')
    )
  then
    return;
  end if;

  for v_grant in
    select p.oid::regprocedure as signature
    from pg_proc p
    join lead_mover.schema_files f on f.path = format('functions/public/%s.sql', p.proname)
    where p.pronamespace = 'public'::regnamespace
  loop
    execute format('grant execute on function %s to service_role', v_grant.signature);
  end loop;
end
$$;
