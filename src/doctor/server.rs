//! The session and the server: who is there, which version, and whether it can be written to.

use tokio_postgres::Client;

use super::finding::{Finding, run_sql};
use crate::db::{ConnectionSettings, ServerAddress};

/// The oldest that has all that the functions and their trigger use.
const OLDEST_MAJOR: i32 = 14;

/// The minor releases of 2026-05-14, which close eleven security holes, CVE-2026-6473 among them
/// (release notes: <https://www.postgresql.org/docs/release/15.18/>, and so on).
const SAFE_MINORS: [(i32, i32); 5] = [(18, 4), (17, 10), (16, 14), (15, 18), (14, 23)];

/// The session that was opened.
pub(super) async fn connection(
    client: &Client,
    settings: &ConnectionSettings,
) -> Result<Finding, tokio_postgres::Error> {
    let encrypted: bool = client
        .query_typed_one(
            "select coalesce(
               (select s.ssl from pg_catalog.pg_stat_ssl s where s.pid = pg_catalog.pg_backend_pid()),
               false
             )",
            &[],
        )
        .await?
        .try_get(0)?;
    let (first, others) = settings.addresses();
    let sockets = first.is_unix_socket() && others.iter().all(ServerAddress::is_unix_socket);
    let way = if sockets {
        "over a Unix socket"
    } else if encrypted || settings.ssl_mode().requires_tls() {
        "with TLS"
    } else {
        "without TLS, as the server sees it"
    };
    Ok(Finding::ok(format!("reached {settings}, {way}")))
}

/// The server's version.
pub(super) async fn version(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select
               pg_catalog.current_setting('server_version_num')::integer,
               pg_catalog.current_setting('server_version')",
            &[],
        )
        .await?;
    Ok(judge_version(row.try_get(0)?, row.try_get(1)?))
}

/// Two numbers in one, as the server tells them since version 10: 150018 is 15.18.
fn judge_version(number: i32, text: &str) -> Finding {
    let (major, minor) = (number / 10_000, number % 10_000);
    let safe = SAFE_MINORS.iter().find(|(safe, _)| *safe == major);
    match safe {
        _ if major < OLDEST_MAJOR => Finding::failure(
            format!("PostgreSQL {text} is too old"),
            format!("upgrade the server to PostgreSQL {OLDEST_MAJOR} or newer"),
        )
        .and_others_go_on(),
        Some((_, safe)) if minor < *safe => Finding::warning(
            format!("PostgreSQL {text} has security holes that {major}.{safe} closes"),
            format!("upgrade the server to {major}.{safe} or newer; a restart is all it takes"),
        ),
        _ => Finding::ok(format!("PostgreSQL {text}")),
    }
}

/// Whether anything can be written.
pub(super) async fn writable(client: &Client) -> Result<Finding, tokio_postgres::Error> {
    let row = client
        .query_typed_one(
            "select
               pg_catalog.pg_is_in_recovery(),
               pg_catalog.current_setting('transaction_read_only') = 'on'",
            &[],
        )
        .await?;
    if row.try_get(0)? {
        return Ok(Finding::failure(
            "this server is a standby, which nothing can be written to",
            "put the primary's address into DATABASE_URL",
        ));
    }
    if row.try_get(1)? {
        let setting = Setting::read(client, "default_transaction_read_only").await?;
        let advice = match &setting.place {
            // These statements are refused in a read-only transaction.
            Place::Of(_) => run_sql(&[
                "begin read write".to_owned(),
                setting.reset(),
                "commit".to_owned(),
            ]),
            Place::ConnectionString => setting.advice(),
            Place::Server => format!(
                "free space on the server's disk if it is full (Supabase then makes a database read-only), or {}",
                setting.advice()
            ),
        };
        let found = "transactions are read-only by default (default_transaction_read_only)";
        return Ok(Finding::failure(found, advice).and_others_go_on());
    }
    Ok(Finding::ok("can be written to, and is no standby"))
}

/// A setting of the session, and where its value comes from.
pub(super) struct Setting {
    name: &'static str,
    /// In the setting's own unit.
    pub(super) value: String,
    place: Place,
}

/// Where a setting's value comes from.
enum Place {
    /// `database x`, `role x` or both, as `alter` takes them.
    Of(String),
    ConnectionString,
    Server,
}

impl Setting {
    pub(super) async fn read(
        client: &Client,
        name: &'static str,
    ) -> Result<Self, tokio_postgres::Error> {
        let row = client
            .query_typed_one(
                "select
                   s.setting,
                   case s.source
                     when 'database' then pg_catalog.format('database %I', pg_catalog.current_database())
                     when 'user' then pg_catalog.format('role %I', session_user)
                     when 'database user' then pg_catalog.format(
                       'role %I in database %I', session_user, pg_catalog.current_database()
                     )
                   end,
                   s.source = 'client'
                 from pg_catalog.pg_settings s
                 where s.name = $1",
                &[(&name, postgres_types::Type::TEXT)],
            )
            .await?;
        let place = match (row.try_get::<_, Option<String>>(1)?, row.try_get(2)?) {
            (Some(place), _) => Place::Of(place),
            (None, true) => Place::ConnectionString,
            (None, false) => Place::Server,
        };
        Ok(Self {
            name,
            value: row.try_get(0)?,
            place,
        })
    }

    /// How to take it back.
    pub(super) fn advice(&self) -> String {
        match &self.place {
            Place::Of(_) => run_sql(&[self.reset()]),
            Place::ConnectionString => {
                format!("take {} out of the options in DATABASE_URL", self.name)
            }
            Place::Server => run_sql(&[self.reset(), "select pg_reload_conf()".to_owned()]),
        }
    }

    fn reset(&self) -> String {
        let place = match &self.place {
            Place::Of(place) => place.as_str(),
            Place::ConnectionString | Place::Server => "system",
        };
        format!("alter {place} reset {}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn an_old_minor_version_is_a_warning_and_an_old_major_version_a_failure() {
        for (number, text, expected) in [
            (130_023, "13.23", Status::Failure),
            (140_022, "14.22", Status::Warning),
            (140_023, "14.23", Status::Ok),
            (150_017, "15.17 (Debian 15.17-1)", Status::Warning),
            (150_018, "15.18", Status::Ok),
            (160_013, "16.13", Status::Warning),
            (160_014, "16.14", Status::Ok),
            (170_009, "17.9", Status::Warning),
            (170_010, "17.10", Status::Ok),
            (180_003, "18.3", Status::Warning),
            (180_004, "18.4", Status::Ok),
            (190_000, "19beta1", Status::Ok),
        ] {
            let finding = judge_version(number, text);
            assert_eq!(finding.status, expected, "{text}");
            assert!(finding.found.contains(text), "{finding:?}");
        }
        let advice = judge_version(150_017, "15.17").advice;
        assert_eq!(
            advice.as_deref(),
            Some("upgrade the server to 15.18 or newer; a restart is all it takes")
        );
    }
}
