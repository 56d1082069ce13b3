//! PGMQ, the queue, and the trigger that says when something was put there.

use tokio_postgres::Client;

use super::finding::{Finding, run_sql};

/// The oldest and the newest version that it was tried with.
const OLDEST_PGMQ: [u32; 3] = [1, 4, 4];
const NEWEST_PGMQ: [u32; 2] = [1, 13];

/// The same statement as in `notify_queued.sql`.
const CREATE_TRIGGER: &str = "create trigger lead_migration_queued after insert on pgmq.q_lead_migration_queue \
     for each statement execute function lead_mover.notify_queued()";

/// PGMQ and its queue, from the catalogs, which everybody may read.
pub(super) async fn pgmq(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select
               (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pgmq'),
               exists (
                 select
                 from pg_catalog.pg_proc p
                 where p.pronamespace = n.oid
                   and p.proname = 'archive'
               ),
               q.relpersistence::text,
               exists (
                 select
                 from pg_catalog.pg_trigger t
                 join pg_catalog.pg_proc p on p.oid = t.tgfoid
                 where t.tgrelid = q.oid
                   and p.proname = 'notify_queue_listeners'
               ),
               m.oid is not null
                 and pg_catalog.has_schema_privilege(n.oid, 'usage')
                 and pg_catalog.has_table_privilege(m.oid, 'select')
             from (values (1)) one
             left join pg_catalog.pg_namespace n on n.nspname = 'pgmq'
             left join pg_catalog.pg_class q on q.relnamespace = n.oid and q.relname = 'q_lead_migration_queue'
             left join pg_catalog.pg_class m on m.relnamespace = n.oid and m.relname = '__pgmq_migrations'",
            &[],
        )
        .await?;
    let extension: Option<String> = row.try_get(0)?;
    let own_sql = if extension.is_none() && row.try_get(4)? {
        version_of_own_sql(client).await?
    } else {
        None
    };
    Ok(judge_pgmq(&Pgmq {
        installed: row.try_get(1)?,
        extension,
        own_sql,
        persistence: row.try_get(2)?,
        notifies: row.try_get(3)?,
    }))
}

/// PGMQ's own SQL remembers what was installed, as an extension would.
async fn version_of_own_sql(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "select m.version from pgmq.__pgmq_migrations m order by m.run_at desc limit 1",
            &[],
        )
        .await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

/// What there is of PGMQ.
struct Pgmq {
    installed: bool,
    extension: Option<String>,
    own_sql: Option<String>,
    /// `pg_class.relpersistence` of the queue's table, if there is one.
    persistence: Option<String>,
    /// Whether PGMQ's own notifications are on.
    notifies: bool,
}

fn judge_pgmq(pgmq: &Pgmq) -> Finding {
    if !pgmq.installed {
        return Finding::failure("PGMQ is not in this database", "run: lead-mover migrate");
    }
    let name = match (&pgmq.extension, &pgmq.own_sql) {
        (Some(version), _) => format!("PGMQ {version} (extension)"),
        (None, Some(version)) => format!("PGMQ {version} (its own SQL)"),
        (None, None) => "PGMQ of unknown version".to_owned(),
    };
    match pgmq.persistence.as_deref() {
        None => {
            return Finding::failure(
                format!("{name}, without a queue lead_migration_queue"),
                "run: lead-mover migrate",
            );
        }
        Some("u") => {
            return Finding::failure(
                "the queue's table is unlogged: a crash of the server empties it",
                run_sql(&["alter table pgmq.q_lead_migration_queue set logged".to_owned()]),
            )
            .and_others_go_on();
        }
        Some(_) => {}
    }
    if pgmq.notifies {
        return Finding::warning(
            "PGMQ's own notifications are on: whoever queues a move waits for all who queue another",
            run_sql(&["select pgmq.disable_notify_insert('lead_migration_queue')".to_owned()]),
        );
    }
    let version = pgmq.extension.as_ref().or(pgmq.own_sql.as_ref());
    let numbers: Option<Vec<u32>> =
        version.and_then(|version| version.split('.').map(|part| part.parse().ok()).collect());
    match numbers {
        Some(numbers) if numbers[..] < OLDEST_PGMQ[..] => Finding::warning(
            format!("{name} is older than any that it was tried with (1.4.4 to 1.13)"),
            "upgrade PGMQ (an extension: alter extension pgmq update;)",
        ),
        Some(numbers) if numbers.iter().take(2).gt(&NEWEST_PGMQ) => Finding::warning(
            format!("{name} is newer than any that it was tried with (1.4.4 to 1.13)"),
            "move a run of a few leads first, or see whether there is a newer lead-mover",
        ),
        _ => Finding::ok(format!("{name}, queue lead_migration_queue")),
    }
}

/// Whether the queue's table notifies.
pub(super) async fn trigger(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "select
               pg_catalog.quote_ident(t.tgname),
               t.tgenabled in ('O', 'A')
             from pg_catalog.pg_trigger t
             join pg_catalog.pg_class c on c.oid = t.tgrelid
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             join pg_catalog.pg_proc p on p.oid = t.tgfoid
             join pg_catalog.pg_namespace pn on pn.oid = p.pronamespace
             where n.nspname = 'pgmq'
               and c.relname = 'q_lead_migration_queue'
               and pn.nspname = 'lead_mover'
               and p.proname = 'notify_queued'
               and t.tgqual is null
               and t.tgtype & 4 = 4 -- after or before an insert
             order by 2 desc",
            &[],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(Finding::failure(
            "the queue's table has no trigger that notifies: moves wait for the next poll",
            run_sql(&[CREATE_TRIGGER.to_owned()]),
        ));
    };
    let name: String = row.try_get(0)?;
    Ok(if row.try_get(1)? {
        Finding::ok(format!("{name} notifies when a move is queued"))
    } else {
        Finding::failure(
            format!("the trigger {name} is disabled: moves wait for the next poll"),
            run_sql(&[format!(
                "alter table pgmq.q_lead_migration_queue enable trigger {name}"
            )]),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn versions_of_pgmq_that_nobody_tried_are_a_warning() {
        for (version, expected) in [
            ("1.3.3", Status::Warning),
            ("1.4.3", Status::Warning),
            ("1.4.4", Status::Ok),
            ("1.5.1", Status::Ok),
            ("1.13.0", Status::Ok),
            ("1.13.9", Status::Ok),
            ("1.14.0", Status::Warning),
            ("2.0.0", Status::Warning),
            ("unheard of", Status::Ok),
        ] {
            let finding = judge_pgmq(&Pgmq {
                installed: true,
                extension: Some(version.to_owned()),
                own_sql: None,
                persistence: Some("p".to_owned()),
                notifies: false,
            });
            assert_eq!(finding.status, expected, "{version}");
            assert!(finding.found.contains(version), "{finding:?}");
        }
    }
}
