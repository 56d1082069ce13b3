//! Whether the lead table has the index that moves walk along; to be said to its owner, never made.

use tokio_postgres::Client;

/// The statement that creates the index which serves `where run_id = … and id > … order by id`, if
/// no index of the table under `lead_mover.leads` does. `None` where one does, and where the view is
/// not a simple one over one table, because then nothing can be said.
///
/// # Errors
/// When the server does not answer.
pub async fn missing_lead_index(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let rows = client.query_typed(STATEMENT_FOR_MISSING_INDEX, &[]).await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

/// No catalog has the column of a table that a column of a view is; the view's rule does, in the
/// form that the server keeps it in: the same text from PostgreSQL 12 to 18.
const STATEMENT_FOR_MISSING_INDEX: &str = r"
with mapped as (
  select
    found[1] as view_column,
    found[2]::oid as table_id,
    found[3]::smallint as attnum
  from pg_catalog.pg_rewrite r
  cross join lateral pg_catalog.regexp_matches(
    r.ev_action::text,
    ':resname (id|run_id) :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+)',
    'g'
  ) as found
  where r.ev_class = pg_catalog.to_regclass('lead_mover.leads')
    and pg_catalog.pg_relation_is_updatable(r.ev_class, false) & 4 = 4
),
lead_table as (
  select
    t.oid as table_id,
    case t.relkind when 'p' then '' else 'concurrently ' end as way,
    n.nspname,
    t.relname,
    run_id.attnum as run_id_attnum,
    run_id.attname as run_id_name,
    id.attnum as id_attnum,
    id.attname as id_name,
    id.attcollation as id_collation
  from mapped mapped_run_id
  join mapped mapped_id on mapped_id.table_id = mapped_run_id.table_id
  join pg_catalog.pg_class t on t.oid = mapped_id.table_id
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace
  join pg_catalog.pg_attribute run_id on run_id.attrelid = t.oid and run_id.attnum = mapped_run_id.attnum
  join pg_catalog.pg_attribute id on id.attrelid = t.oid and id.attnum = mapped_id.attnum
  where mapped_run_id.view_column = 'run_id'
    and mapped_id.view_column = 'id'
    and t.relkind in ('r', 'p')
    and (select count(*) from mapped) = 2
)
select pg_catalog.format(
  'create index %son %I.%I (%I, %I)',
  l.way, l.nspname, l.relname, l.run_id_name, l.id_name
)
from lead_table l
where not exists (
  select
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_am a on a.oid = c.relam
  join pg_catalog.pg_opclass o on o.oid = i.indclass[1]
  where i.indrelid = l.table_id
    and i.indisvalid
    and i.indpred is null
    and i.indnkeyatts >= 2
    and i.indkey[0] = l.run_id_attnum
    and i.indkey[1] = l.id_attnum
    and i.indcollation[1] = l.id_collation
    and o.opcdefault
    and a.amname = 'btree'
)";
