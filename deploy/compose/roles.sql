-- docker-compose.yml runs this with psql. It creates the service's role with the grants of docs/use.md, and
-- Grafana's role, with passwords from the environment. Running it again only sets the passwords.

\getenv service_password LEAD_MOVER_DB_PASSWORD
\getenv grafana_password GRAFANA_DB_PASSWORD

select 'create role lead_mover_worker login'
where not exists (select from pg_roles r where r.rolname = 'lead_mover_worker')
\gexec

alter role lead_mover_worker password :'service_password';
grant usage on schema lead_mover to lead_mover_worker;
grant select on lead_mover.schema_files to lead_mover_worker;
grant execute on function lead_mover.process_batch(integer), lead_mover.sample() to lead_mover_worker;

\ir ../read-only-role.sql

alter role lead_mover_grafana password :'grafana_password';
