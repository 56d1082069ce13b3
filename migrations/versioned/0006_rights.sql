-- Who may do what, and who asked for a move.

create table lead_mover.openings (
  role_name text not null,
  action text not null check (action in ('queue', 'progress', 'cancel', 'control', 'status', 'process', 'serve')),
  all_runs boolean not null,
  primary key (role_name, action)
);

comment on table lead_mover.openings is 'What lead_mover.open_to has opened to which role: with all_runs for every run, else by the role''s own row level security.';

-- Roles that had been granted a function keep what they could do. What anon, authenticated and PUBLIC have may come
-- from default privileges, so they are opened by lead_mover.open_to only.
insert into lead_mover.openings (role_name, action, all_runs)
select distinct r.rolname, o.action, true
from (
  values
    ('public', 'queue_lead_migration', 'queue'),
    ('public', 'get_lead_migration_progress', 'progress'),
    ('public', 'get_lead_migration_rejections', 'progress'),
    ('public', 'cancel_lead_migration', 'cancel'),
    ('public', 'pause_lead_migration', 'control'),
    ('public', 'resume_lead_migration', 'control'),
    ('public', 'retry_lead_migration', 'control'),
    ('public', 'get_lead_migration_queue_status', 'status'),
    ('public', 'process_lead_migration_batch', 'process'),
    ('lead_mover', 'process_batch', 'serve')
) as o (schema_name, function_name, action)
join pg_catalog.pg_namespace n on n.nspname = o.schema_name
join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = o.function_name
cross join lateral pg_catalog.aclexplode(p.proacl) a
join pg_catalog.pg_roles r on r.oid = a.grantee
where a.grantee <> p.proowner
  and r.rolname not in ('anon', 'authenticated', 'service_role')
union
-- Applications that send messages themselves.
select r.rolname, 'queue', true
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_catalog.aclexplode(c.relacl) a
join pg_catalog.pg_roles r on r.oid = a.grantee
where n.nspname = 'pgmq'
  and c.relname = 'q_lead_migration_queue'
  and a.privilege_type = 'INSERT'
  and a.grantee <> c.relowner
  and r.rolname not in ('anon', 'authenticated', 'service_role');

alter table lead_mover.moves
add column requested_by text;

comment on column lead_mover.moves.requested_by is 'Who asked for the move: the subject of the request''s JWT, else the role.';

-- The policies are in rights.sql. The owner of the tables, as whom batches run, passes them by.
alter table lead_mover.moves enable row level security;
alter table lead_mover.lanes enable row level security;
alter table lead_mover.rejections enable row level security;

-- One has another parameter now, the other another result.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'lead_mover'
      and p.proname in ('close_move', 'start_move')
  loop
    execute pg_catalog.format('drop function %s', v_function);
  end loop;
end
$$;
