//! The session that was opened.

use pg_connection::{ConnectionSettings, ServerAddress};
use tokio_postgres::Client;

use super::finding::Finding;

/// What the server knows of the session.
#[derive(Default)]
pub(super) struct Session {
    is_encrypted: bool,
    is_standby: bool,
}

impl Session {
    pub(super) async fn read(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let row = client
            .query_typed_one(
                "select
                   coalesce(
                     (select s.ssl from pg_catalog.pg_stat_ssl s where s.pid = pg_catalog.pg_backend_pid()),
                     false
                   ),
                   pg_catalog.pg_is_in_recovery()",
                &[],
            )
            .await?;
        Ok(Self {
            is_encrypted: row.try_get(0)?,
            is_standby: row.try_get(1)?,
        })
    }

    /// Whether the server is a standby, which denies `LISTEN` and any write.
    pub(super) fn is_standby(&self) -> bool {
        self.is_standby
    }

    pub(super) fn check(&self, settings: &ConnectionSettings) -> Finding {
        let (first, others) = settings.addresses();
        let sockets = first.is_unix_socket() && others.iter().all(ServerAddress::is_unix_socket);
        let way = if sockets {
            "over a Unix socket"
        } else if self.is_encrypted || settings.ssl_mode().requires_tls() {
            "with TLS"
        } else {
            "without TLS, as the server sees it"
        };
        Finding::ok(format!("reached {settings}, {way}"))
    }
}
