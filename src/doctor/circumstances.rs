//! What makes life hard for moves though everything is installed as it should be.

use std::time::Duration;

use postgres_types::Type;
use tokio_postgres::Client;
use uuid::Uuid;

use super::finding::Finding;
use super::server::Setting;

/// A statement that has less time than this is ended in the middle of its work, on a busy server.
const SHORTEST_STATEMENT_TIMEOUT_MS: u64 = 1_000;

/// What the service has open beside its workers: the listener, the sampler, and a call over HTTP.
const CONNECTIONS_BESIDE_WORKERS: i64 = 3;

/// A transaction that is open for longer keeps the rows alive that batches leave behind.
const LONG: Duration = Duration::from_secs(60 * 60);

/// How long the role's statements may take, where the service does not say it itself.
pub(super) async fn statement_timeout(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let setting = Setting::read(client, "statement_timeout").await?;
    let milliseconds: u64 = setting.value.parse().unwrap_or_default();
    Ok(match milliseconds {
        0 => Finding::ok("statements have no time-out"),
        1..SHORTEST_STATEMENT_TIMEOUT_MS => Finding::warning(
            format!("statements are ended after {milliseconds} ms (statement_timeout)"),
            setting.advice(),
        ),
        _ => Finding::ok(format!("statements may take {milliseconds} ms")),
    })
}

/// Whether the service can open its connections.
pub(super) async fn connections(
    client: &Client,
    workers: u8,
) -> Result<Finding, tokio_postgres::Error> {
    // Numbers of connections are everybody's to see; superusers have no limits but the server's.
    let row = client
        .query_typed_one(
            "select
               pg_catalog.current_setting('max_connections')::bigint
                 - case when r.rolsuper then 0 else pg_catalog.current_setting('superuser_reserved_connections')::bigint end
                 - (select sum(s.numbackends)::bigint from pg_catalog.pg_stat_database s),
               case when not r.rolsuper and d.datconnlimit >= 0 then
                 d.datconnlimit - pg_catalog.pg_stat_get_db_numbackends(d.oid)::bigint
               end,
               case when not r.rolsuper and r.rolconnlimit >= 0 then
                 r.rolconnlimit - (select count(*) from pg_catalog.pg_stat_activity a where a.usesysid = r.oid)
               end
             from pg_catalog.pg_roles r
             join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
             where r.rolname = session_user",
            &[],
        )
        .await?;
    Ok(judge_connections(
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        workers,
    ))
}

/// What the server, the database and the role have left; the last two may be without a limit.
fn judge_connections(
    server: i64,
    database: Option<i64>,
    role: Option<i64>,
    workers: u8,
) -> Finding {
    let needed = i64::from(workers) + CONNECTIONS_BESIDE_WORKERS;
    let (left, limit) = [
        (Some(server), "max_connections"),
        (database, "the database's connection limit"),
        (role, "the role's connection limit"),
    ]
    .into_iter()
    .filter_map(|(left, limit)| Some((left?, limit)))
    .min_by_key(|(left, _)| *left)
    .unwrap_or((server, "max_connections"));
    // One of those that are open is the doctor's own.
    let left = left + 1;
    let found = format!(
        "{left} connections are left, and a service with {workers} workers takes up to {needed}"
    );
    if left < needed {
        Finding::warning(
            found,
            format!(
                "end connections that nobody needs, raise {limit}, or lower LEAD_MOVER_WORKERS"
            ),
        )
    } else {
        Finding::ok(found)
    }
}

/// Whether somebody keeps dead rows from being cleaned away. What others do is for some roles only to see.
pub(super) async fn long_transactions(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let rows = client
        .query_typed(
            "select
               pg_catalog.format('pid %s of %s', a.pid, a.usename),
               extract(epoch from pg_catalog.clock_timestamp() - a.xact_start)::double precision as seconds,
               pg_catalog.format('select pg_terminate_backend(%s)', a.pid)
             from pg_catalog.pg_stat_activity a
             where a.datname = pg_catalog.current_database()
               and a.xact_start is not null
               and (a.backend_xid is not null or a.backend_xmin is not null)
             union all
             select
               pg_catalog.format('prepared transaction %L', p.gid),
               extract(epoch from pg_catalog.clock_timestamp() - p.prepared)::double precision,
               pg_catalog.format('rollback prepared %L', p.gid)
             from pg_catalog.pg_prepared_xacts p
             where p.database = pg_catalog.current_database()
             order by seconds desc",
            &[],
        )
        .await?;
    let open: Vec<Open> = rows
        .iter()
        .map(|row| {
            Ok(Open {
                what: row.try_get(0)?,
                seconds: row.try_get(1)?,
                end: row.try_get(2)?,
            })
        })
        .collect::<Result<_, tokio_postgres::Error>>()?;
    Ok(judge_open(&open))
}

/// A transaction that is open.
struct Open {
    what: String,
    seconds: f64,
    end: String,
}

/// The oldest comes first.
fn judge_open(open: &[Open]) -> Finding {
    let long: Vec<&Open> = open
        .iter()
        .filter(|open| open.seconds >= LONG.as_secs_f64())
        .collect();
    let Some(oldest) = long.first() else {
        return Finding::ok("no transaction that this role can see is older than an hour");
    };
    let hours = oldest.seconds / LONG.as_secs_f64();
    Finding::warning(
        format!(
            "{} transactions are older than an hour and keep dead rows: {} since {hours:.1} hours",
            long.len(),
            oldest.what
        ),
        format!("end what nobody waits for any more: {};", oldest.end),
    )
}

/// Whether runs wait for somebody to take them up again.
pub(super) async fn moves(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select count(*), (pg_catalog.array_agg(last.run_id order by last.migration_id desc))[1]
             from (
               select distinct on (p.run_id) p.run_id, p.migration_id, p.status
               from public.get_lead_migration_progress($1) p
               order by p.run_id, p.migration_id desc
             ) last
             where last.status = 'failed'",
            &[(&None::<Uuid>, Type::UUID)],
        )
        .await?;
    let (failed, newest): (i64, Option<Uuid>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match newest {
        None => Finding::ok("no run's last move has failed"),
        Some(run) => Finding::warning(
            format!("the last move of {failed} runs has failed"),
            format!(
                "see lead-mover status for the causes, mend them, and run: lead-mover retry {run}"
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn the_narrowest_limit_counts() {
        // The doctor's own connection is free again when the service starts.
        for (server, database, role, expected, named) in [
            (4, None, None, Status::Ok, ""),
            (3, None, None, Status::Warning, "max_connections"),
            (90, Some(4), Some(4), Status::Ok, ""),
            (90, Some(3), None, Status::Warning, "the database's"),
            (90, Some(50), Some(3), Status::Warning, "the role's"),
        ] {
            let finding = judge_connections(server, database, role, 2);
            assert_eq!(finding.status, expected, "{finding:?}");
            assert!(finding.advice.unwrap_or_default().contains(named));
        }
        assert_eq!(judge_connections(4, None, None, 3).status, Status::Warning);
    }

    #[test]
    fn a_transaction_of_an_hour_is_named_and_a_shorter_one_is_not() {
        let open = |seconds, pid| Open {
            what: format!("pid {pid} of app"),
            seconds,
            end: format!("select pg_terminate_backend({pid})"),
        };

        assert_eq!(judge_open(&[]).status, Status::Ok);
        assert_eq!(judge_open(&[open(3_599.0, 1)]).status, Status::Ok);
        let finding = judge_open(&[open(9_000.0, 7), open(3_600.0, 8), open(1.0, 9)]);
        assert_eq!(
            finding,
            Finding::warning(
                "2 transactions are older than an hour and keep dead rows: pid 7 of app since 2.5 hours",
                "end what nobody waits for any more: select pg_terminate_backend(7);",
            )
        );
    }
}
