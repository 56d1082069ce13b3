-- The checks of lead_mover.doctor that concern the server and this role's sessions, one row a check. A check is skipped
-- where one that it depends on failed.
--
-- `lead-mover doctor` sends the text between the $$ as a query, so that it also runs where nothing is installed,
-- on a standby, and for a role without rights. So it reads catalogs only, and its parameter has no name:
-- $1 is the number of workers of the service.
create or replace function lead_mover.check_server(integer)
returns table (check_name text, status text, found text, advice text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
with setting as (
  select
    s.name,
    s.setting,
    s.source,
    r.reset,
    case
      when s.source = 'client' then pg_catalog.format('remove %s from the options in DATABASE_URL', s.name)
      when s.source = 'session' then pg_catalog.format('run: reset %s;', s.name)
      when r.reset is not null then 'run: ' || r.reset || ';'
      else pg_catalog.format('run: alter system reset %s; select pg_reload_conf();', s.name)
    end as advice
  from pg_catalog.pg_settings s
  cross join lateral (
    select 'alter ' || o.owner || ' reset ' || s.name as reset
    from (
      select
        case s.source
          when 'database' then pg_catalog.format('database %I', pg_catalog.current_database())
          when 'user' then pg_catalog.format('role %I', session_user)
          when 'database user' then
            pg_catalog.format('role %I in database %I', session_user, pg_catalog.current_database())
          when 'global' then 'role all'
        end as owner
    ) o
  ) r
  where s.name in ('default_transaction_read_only', 'statement_timeout')
),
server as (
  select
    'server' as check_name,
    case when v.major < 14 then 'failure' else 'ok' end as status,
    pg_catalog.format('PostgreSQL %s', v.text) || case when v.major < 14 then ' is too old' else '' end as found,
    'upgrade the server to PostgreSQL 14 or newer' as advice
  from (
    select
      pg_catalog.current_setting('server_version_num')::integer / 10000 as major,
      pg_catalog.current_setting('server_version') as text
  ) v
),
writable as (
  select
    'writable',
    case when w.is_standby or w.is_read_only then 'failure' else 'ok' end,
    case
      when w.is_standby then 'this server is a standby, which nothing can be written to'
      when w.is_read_only then 'transactions are read-only by default (default_transaction_read_only)'
      else 'can be written to, and is no standby'
    end,
    case
      when w.is_standby then 'put the primary''s address into DATABASE_URL'
      -- A read-only transaction cannot change the setting.
      when s.reset is not null then pg_catalog.format('run: begin read write; %s; commit;', s.reset)
      when s.source in ('client', 'session') then s.advice
      else 'free space on the server''s disk if it is full (Supabase then makes a database read-only), or ' || s.advice
    end
  from setting s
  cross join lateral (
    select
      pg_catalog.pg_is_in_recovery() as is_standby,
      -- The transaction that asks may differ from those of the service: it can be read-only by itself.
      s.setting = 'on' as is_read_only
  ) w
  where s.name = 'default_transaction_read_only'
),
statement_timeout as (
  select
    'statement_timeout',
    case when s.setting::bigint between 1 and 999 then 'warning' else 'ok' end,
    case
      when s.setting = '0' then 'statements have no time-out'
      when s.setting::bigint < 1000 then
        pg_catalog.format('statements are ended after %s ms (statement_timeout)', s.setting)
      else pg_catalog.format('statements may take %s ms', s.setting)
    end,
    s.advice
  from setting s
  where s.name = 'statement_timeout'
),
-- Every role can read the numbers of connections. Superusers have only the server's limit. One open connection
-- is this session's. Beside its workers the service has a listener, a sampler, and one for requests over HTTP.
connection_limit (unused, what) as (
  select l.unused + 1, l.what
  from pg_catalog.pg_roles r
  join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
  cross join lateral (
    values
      (
        pg_catalog.current_setting('max_connections')::bigint
          - case when r.rolsuper then 0 else pg_catalog.current_setting('superuser_reserved_connections')::bigint end
          - (select sum(s.numbackends)::bigint from pg_catalog.pg_stat_database s),
        'max_connections'
      ),
      (
        case when not r.rolsuper and d.datconnlimit >= 0 then
          d.datconnlimit - pg_catalog.pg_stat_get_db_numbackends(d.oid)::bigint
        end,
        'the database''s connection limit'
      ),
      (
        case when not r.rolsuper and r.rolconnlimit >= 0 then
          r.rolconnlimit - (select count(*) from pg_catalog.pg_stat_activity a where a.usesysid = r.oid)
        end,
        'the role''s connection limit'
      )
  ) as l (unused, what)
  where r.rolname = session_user
    and l.unused is not null
),
connections as (
  select
    'connections',
    case when l.unused < $1 + 3 then 'warning' else 'ok' end,
    pg_catalog.format(
      '%s connections are left, and a service with %s workers takes up to %s', l.unused, $1, $1 + 3
    ),
    pg_catalog.format(
      'end connections that are not needed, raise %s, or lower LEAD_MOVER_WORKERS', l.what
    )
  from connection_limit l
  order by l.unused
  limit 1
),
-- Some roles cannot see the transactions of others.
long_transaction (what, seconds, statement) as (
  select
    pg_catalog.format('pid %s of %s', a.pid, a.usename),
    extract(epoch from pg_catalog.clock_timestamp() - a.xact_start),
    pg_catalog.format('select pg_terminate_backend(%s)', a.pid)
  from pg_catalog.pg_stat_activity a
  where a.datname = pg_catalog.current_database()
    and (a.backend_xid is not null or a.backend_xmin is not null)
    and a.xact_start <= pg_catalog.clock_timestamp() - interval '1 hour'
  union all
  select
    pg_catalog.format('prepared transaction %L', p.gid),
    extract(epoch from pg_catalog.clock_timestamp() - p.prepared),
    pg_catalog.format('rollback prepared %L', p.gid)
  from pg_catalog.pg_prepared_xacts p
  where p.database = pg_catalog.current_database()
    and p.prepared <= pg_catalog.clock_timestamp() - interval '1 hour'
),
long_transactions as (
  select
    'long_transactions',
    case when count(*) > 0 then 'warning' else 'ok' end,
    case when count(*) > 0
      then pg_catalog.format(
        '%s transactions are older than an hour and keep dead rows: %s since %s hours',
        count(*),
        (pg_catalog.array_agg(l.what order by l.seconds desc))[1],
        pg_catalog.to_char(max(l.seconds) / 3600, 'FM999999990.0')
      )
      else 'no transaction that this role can see is older than an hour'
    end,
    pg_catalog.format(
      'end those that are not needed any more: %s;', (pg_catalog.array_agg(l.statement order by l.seconds desc))[1]
    )
  from long_transaction l
),
checks (check_name, status, found, advice) as (
  select * from server
  union all
  select * from writable
  union all
  select * from statement_timeout
  union all
  select * from connections
  union all
  select * from long_transactions
)
select c.check_name, c.status, c.found, case when c.status <> 'ok' then c.advice end
from checks c
$$;

select lead_mover.make_private('lead_mover.check_server(integer)');

comment on function lead_mover.check_server(integer) is 'The checks of lead_mover.doctor that concern the server and this role''s sessions.';
