-- Grafana's role for reading the moves. It may call the two functions that return them, and read
-- what these read.
-- Run this after `lead-mover migrate`, in the database of the leads, as a role that may create roles and owns
-- the functions (`postgres` on Supabase). Running it again changes nothing. Then set a password:
-- `\password lead_mover_grafana` in psql, or `alter role lead_mover_grafana password '...'`.

do $$
begin
  if not exists (select from pg_roles r where r.rolname = 'lead_mover_grafana') then
    create role lead_mover_grafana login connection limit 10;
  end if;
  -- PUBLIC may connect and has usage on `public`, unless that was revoked.
  execute format('grant connect on database %I to lead_mover_grafana', current_database());
end
$$;

grant usage on schema public to lead_mover_grafana;
select lead_mover.open_to('lead_mover_grafana', array['progress'], p_all_runs => true);

-- The rights above are the protection. These settings limit the load of an expensive query.
alter role lead_mover_grafana set default_transaction_read_only = on;
alter role lead_mover_grafana set statement_timeout = '10s';
