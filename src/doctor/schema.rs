//! What `migrate` installs, and the tables of its user below it.

use tokio_postgres::Client;

use super::finding::{Finding, run_sql};
use crate::migrate::{self, SchemaState};

/// Whether the database has this binary's schema.
pub(super) async fn schema(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    match migrate::schema_state(client).await? {
        SchemaState::Missing => {
            return Ok(Finding::failure(
                "nothing of lead-mover is in this database",
                "run: lead-mover migrate",
            ));
        }
        SchemaState::Outdated => {
            return Ok(Finding::failure(
                "the schema is that of another version, or not all of it is there",
                "run: lead-mover migrate",
            )
            .and_others_go_on());
        }
        SchemaState::Newer => {
            return Ok(Finding::failure(
                format!(
                    "the schema is that of a newer lead-mover than this one ({})",
                    env!("CARGO_PKG_VERSION")
                ),
                "upgrade lead-mover, the service too; migrate does not go back",
            )
            .and_others_go_on());
        }
        SchemaState::Current => {}
    }
    let missing = migrate::files_of_missing_functions(client).await?;
    Ok(if missing.is_empty() {
        Finding::ok(format!(
            "the schema is that of lead-mover {}",
            env!("CARGO_PKG_VERSION")
        ))
    } else {
        // Otherwise `migrate` would believe what it remembers. Paths of ours need no quoting.
        let forget = format!(
            "delete from lead_mover.schema_files where path in ('{}')",
            missing.join("', '")
        );
        Finding::failure(
            format!("functions were dropped: {}", missing.join(", ")),
            format!("{} then run: lead-mover migrate", run_sql(&[forget])),
        )
        .and_others_go_on()
    })
}

/// Whether the three views are there, and leads can be written through theirs.
pub(super) async fn mapping(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "with wanted (view_name, column_name, type_name, is_written) as (
               values
                 ('leads', 'id', null, false),
                 ('leads', 'run_id', 'uuid', false),
                 ('leads', 'funnel_id', 'uuid', true),
                 ('leads', 'column_id', 'uuid', true),
                 ('runs', 'id', 'uuid', false),
                 ('runs', 'name', null, false),
                 ('columns', 'id', 'uuid', false),
                 ('columns', 'funnel_id', 'uuid', false)
             ),
             mapped as (
               select
                 pg_catalog.concat_ws(' ', 'lead_mover.' || w.view_name || '.' || w.column_name, w.type_name) as name,
                 a.attname is null as is_missing,
                 w.is_written
                   and not pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false)
                   -- As by a trigger instead of the update.
                   and pg_catalog.pg_relation_is_updatable(c.oid, false)
                     = pg_catalog.pg_relation_is_updatable(c.oid, true) as is_fixed
               from wanted w
               left join pg_catalog.pg_namespace n on n.nspname = 'lead_mover'
               left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.view_name
               left join pg_catalog.pg_attribute a on a.attrelid = c.oid
                 and a.attname = w.column_name
                 and not a.attisdropped
                 and (w.type_name is null or w.type_name = pg_catalog.format_type(a.atttypid, null))
             )
             select
               pg_catalog.string_agg(m.name, ', ') filter (where m.is_missing),
               pg_catalog.string_agg(m.name, ', ') filter (where m.is_fixed)
             from mapped m",
            &[],
        )
        .await?;
    let (missing, fixed): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if let Some(missing) = missing {
        Finding::failure(
            format!("the views of your tables lack {missing}"),
            "run: lead-mover migrate (it makes them, or prints the statements to adapt)",
        )
    } else if let Some(fixed) = fixed {
        Finding::failure(
            format!("nothing can be written through {fixed}"),
            "make lead_mover.leads a plain view of one table: create or replace view lead_mover.leads as \
             select id, run_id, funnel_id, column_id from public.your_leads;",
        )
    } else {
        Finding::ok("leads, runs and columns are mapped, and leads can be written")
    })
}

/// Whether an index serves the walk along a run.
pub(super) async fn index(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    Ok(match migrate::missing_lead_index(client).await? {
        None => Finding::ok("no index is missing for the walk along a run's leads"),
        Some(statement) => Finding::failure(
            "no index serves the walk along a run's leads: each batch reads the whole table",
            run_sql(&[statement]),
        ),
    })
}
