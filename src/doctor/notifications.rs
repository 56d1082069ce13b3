//! Whether a notification really comes in, and whether a pooler lies between.

use std::time::Duration;

use pg_connection::ConnectionSettings;
use tokio_postgres::Client;

use super::finding::Finding;
use super::{DoctorSettings, connection_advice};
use crate::config::ListenOn;
use crate::listener::{ListenError, NotifyProbe, next_notification};
use crate::session;

/// Supabase's transaction-mode pooler.
const TRANSACTION_POOLER_PORT: u16 = 6543;

const URL: &str = "DATABASE_URL";

const LISTEN_ELSEWHERE: &str =
    "put a direct or session-mode connection (Supabase: port 5432) into DATABASE_LISTEN_URL";

/// What became of the probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// What was sent by the database's session came in.
    Received,
    /// It did not, and what was sent over the listening connection's own address did.
    OtherDatabase,
    /// `LISTEN` is accepted, and nothing comes in.
    Lost,
    /// No notifications are wanted.
    NotWanted,
}

/// Listens where the service would. Each step has a deadline of its own.
pub(super) async fn listen(
    settings: &DoctorSettings,
    database: &Client,
) -> (Finding, Option<Delivery>) {
    let (setting, listen) = match &settings.listen_on {
        ListenOn::Another(listen) => ("DATABASE_LISTEN_URL", &**listen),
        ListenOn::Database => (URL, &settings.database),
        ListenOn::Nothing => {
            return (
                delivery_finding(Delivery::NotWanted, "DATABASE_LISTEN_URL"),
                Some(Delivery::NotWanted),
            );
        }
    };
    match try_out(listen, database, settings.timings.notify).await {
        Ok(delivery) => (delivery_finding(delivery, setting), Some(delivery)),
        Err(ListenError::Connect(error)) => {
            (connection_advice::of(&error, setting, listen).await, None)
        }
        Err(error) => (
            Finding::failure(pg_connection::describe(&error), LISTEN_ELSEWHERE),
            None,
        ),
    }
}

/// Whether the workers would share sessions with others; `delivery` is what [`listen`] found.
pub(super) async fn pooler(
    settings: &DoctorSettings,
    database: &Client,
    delivery: Option<Delivery>,
) -> Finding {
    let through_database = match &settings.listen_on {
        ListenOn::Database => delivery,
        ListenOn::Another(_) | ListenOn::Nothing => {
            try_out(&settings.database, database, settings.timings.notify)
                .await
                .ok()
        }
    };
    let (first, others) = settings.database.addresses();
    let mut addresses = std::iter::once(first).chain(others);
    match session::accepts_timeouts(&settings.database, super::APPLICATION_NAME).await {
        Ok(accepts_timeouts) => pooler_finding(&Signs {
            port: addresses.any(|address| address.port == TRANSACTION_POOLER_PORT),
            lost: through_database == Some(Delivery::Lost),
            denies_timeouts: !accepts_timeouts,
            delivers: matches!(delivery, Some(Delivery::Received | Delivery::NotWanted)),
        }),
        Err(error) => connection_advice::of(&error, URL, &settings.database).await,
    }
}

/// Sends a probe over the database's session, and where that does not come in, over another one beside the
/// listening session. The listening connection is driven here, because awaiting it would throw
/// notifications away.
async fn try_out(
    settings: &ConnectionSettings,
    database: &Client,
    notify_timeout: Duration,
) -> Result<Delivery, ListenError> {
    let (client, mut connection) =
        Box::pin(pg_connection::connect(settings, super::APPLICATION_NAME)).await?;
    let probe = NotifyProbe::new(notify_timeout);
    let probing = async {
        probe.listen(&client).await?;
        if probe.send(database).await? {
            return Ok(Delivery::Received);
        }
        let sender = pg_connection::open_session(settings, super::APPLICATION_NAME).await?;
        let came_in = probe.send(&sender).await?;
        probe.unlisten(&client).await?;
        Ok(if came_in {
            Delivery::OtherDatabase
        } else {
            Delivery::Lost
        })
    };
    tokio::pin!(probing);
    loop {
        tokio::select! {
            notification = next_notification(&mut connection) => probe.receive(&notification?),
            delivery = &mut probing => return delivery,
        }
    }
}

fn delivery_finding(delivery: Delivery, setting: &str) -> Finding {
    match delivery {
        Delivery::Received if setting == URL => {
            Finding::ok("a notification sent over DATABASE_URL came back")
        }
        Delivery::Received => Finding::ok(format!(
            "notifications sent over {setting} and over DATABASE_URL came back over {setting}"
        )),
        Delivery::OtherDatabase => Finding::failure(
            format!("nothing that is sent over DATABASE_URL comes in over {setting}"),
            format!("put the same database of the same server into {setting} as into DATABASE_URL"),
        ),
        // The service can work so, and looks by itself.
        Delivery::Lost => Finding::warning(
            format!(
                "no notification comes in over {setting}, as behind a transaction-mode pooler: \
                 the service looks every 2 seconds instead"
            ),
            LISTEN_ELSEWHERE,
        ),
        Delivery::NotWanted => Finding::ok(format!(
            "{setting} is off: the service looks every LEAD_MOVER_POLL_INTERVAL"
        )),
    }
}

/// The signs of a transaction-mode pooler, and what becomes of notifications.
#[expect(clippy::struct_excessive_bools, reason = "a list of observations")]
struct Signs {
    port: bool,
    lost: bool,
    denies_timeouts: bool,
    /// Notifications come in, wherever the service listens, or are not wanted.
    delivers: bool,
}

fn pooler_finding(signs: &Signs) -> Finding {
    let all = [
        (signs.port, "port 6543"),
        (signs.lost, "LISTEN without notifications"),
        (signs.denies_timeouts, "no options taken"),
    ];
    let seen: Vec<&str> = all
        .iter()
        .filter_map(|(there, sign)| there.then_some(*sign))
        .collect();
    if seen.is_empty() {
        return Finding::ok("DATABASE_URL leads to no transaction-mode pooler");
    }
    let found = format!(
        "DATABASE_URL leads to a transaction-mode pooler ({})",
        seen.join(", ")
    );
    if !signs.delivers {
        Finding::warning(found, LISTEN_ELSEWHERE)
    } else if signs.denies_timeouts {
        Finding::warning(
            format!("{found}, so batches have no time-outs of the service's"),
            "set them for the role: alter role … set statement_timeout = '60s';",
        )
    } else {
        // Nothing depends on sessions but LISTEN.
        Finding::ok(format!("{found}, which the service can live with"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_transaction_mode_pooler_is_fine_where_notifications_come_in() {
        for (port, lost, denies_timeouts, delivers, expected) in [
            (false, false, false, true, Status::Ok),
            (true, false, false, true, Status::Ok),
            (true, true, false, true, Status::Ok),
            (true, true, true, true, Status::Warning),
            (true, false, false, false, Status::Warning),
            (false, true, false, false, Status::Warning),
            (false, false, true, false, Status::Warning),
        ] {
            let finding = pooler_finding(&Signs {
                port,
                lost,
                denies_timeouts,
                delivers,
            });
            assert_eq!(finding.status, expected, "{finding:?}");
            for (there, sign) in [
                (port, "port 6543"),
                (lost, "LISTEN without notifications"),
                (denies_timeouts, "no options taken"),
            ] {
                assert_eq!(finding.found.contains(sign), there, "{finding:?}");
            }
            let elsewhere = finding.advice.as_deref() == Some(LISTEN_ELSEWHERE);
            assert_eq!(elsewhere, !delivers, "{finding:?}");
        }
    }
}
